"""Waits for what another thread will say, in a thread or in a coroutine, within a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

R = TypeVar("R")


def new_future() -> Future[Any]:
    """Return a future for whoever is going to wait."""
    from concurrent.futures import Future  # noqa: PLC0415  (recording waits for nothing; who does at the latest is the end of the process)

    return Future()


def waited(future: Future[R], timeout: float | None, otherwise: Callable[[], R]) -> R:
    """Wait for a future of another thread; past the limit return what `otherwise` gives."""
    from concurrent.futures import TimeoutError as TooLate  # noqa: PLC0415  (whoever has a future has it loaded)

    try:
        return future.result(timeout)
    except TooLate:
        return otherwise()


async def awaited(future: Future[R], timeout: float | None, otherwise: Callable[[], R]) -> R:
    """Await a future of another thread without cancelling it; past the limit return what `otherwise` gives."""
    import asyncio  # noqa: PLC0415  (whoever awaits has it loaded)

    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), timeout)
    except asyncio.TimeoutError:
        return otherwise()
