"""Waits for the result of another thread, in a thread or in a coroutine, within a time limit."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .clock import CLOCK

if TYPE_CHECKING:
    from concurrent.futures import Future

R = TypeVar("R")

STEP_SECONDS = 0.5
"""How often a waiting thread checks that some thread does the work."""


def new_future() -> Future[Any]:
    """Return a future to wait for."""
    from concurrent.futures import Future  # noqa: PLC0415  (recording waits for nothing)

    return Future()


class Ending:
    """What the end of the process waits for: of a future what the sender needs, without `logging`, which futures load."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def set_running_or_notify_cancel(self) -> bool:
        """Return True: nobody calls it off."""
        return True

    def set_result(self, _result: object) -> None:
        """End the wait."""
        self._over.set()

    def wait(self, seconds: float, care: Callable[[Callable[[], bool], float], None]) -> None:
        """Wait for that, so long at most. `care` makes sure that some thread works for it, as `Care` does."""
        left = _countdown(seconds)
        while not self._over.is_set() and left() > 0:
            care(self._over.is_set, left())
            self._over.wait(min(left(), STEP_SECONDS))


def loop_is_running() -> bool:
    """Tell whether asyncio runs here, without importing it."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001  (the documented one raises where there is none)


def current_task() -> Any:
    """Return the task of asyncio's that runs here, without importing it; None where there is none."""
    return sys.modules["asyncio"].current_task() if loop_is_running() else None


def no_care(_future: Future[Any], _seconds: float) -> None:
    """Leave the work to the thread that does it already."""


Care = Callable[["Future[Any]", float], None]
"""Makes sure that some thread works for a future. It may do the work itself, for that many seconds at most."""


def waited(future: Future[R], timeout: float | None, otherwise: Callable[[], R], care: Care = no_care) -> R:
    """Wait for a future of another thread; past the limit return `otherwise()`."""
    from concurrent.futures import wait  # noqa: PLC0415  (whoever has a future has it loaded)

    left = _countdown(timeout)
    while not future.done() and left() > 0:
        care(future, left())
        wait([future], min(left(), STEP_SECONDS))
    return future.result(0) if future.done() else otherwise()


async def awaited(future: Future[R], timeout: float | None, otherwise: Callable[[], R], care: Care = no_care) -> R:
    """Await a future of another thread without cancelling it; past the limit return `otherwise()`.

    If the coroutine does not run in asyncio, its thread waits.
    """
    import asyncio  # noqa: PLC0415  (whoever awaits has it loaded)

    if not loop_is_running():
        return waited(future, timeout, otherwise, care)
    left = _countdown(timeout)
    answer = asyncio.shield(asyncio.wrap_future(future))
    try:
        while not answer.done() and left() > 0:
            care(future, left())
            await asyncio.wait([answer], timeout=min(left(), STEP_SECONDS))
        return answer.result() if answer.done() else otherwise()
    finally:
        answer.cancel()


def _countdown(timeout: float | None) -> Callable[[], float]:
    """Return a function that returns how many seconds are left, at least 0."""
    now = CLOCK.monotonic
    deadline = float("inf") if timeout is None else now() + timeout
    return lambda: max(0.0, deadline - now())
