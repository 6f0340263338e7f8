"""Many threads at the same thing at once, with the interpreter changing between them as often as it can."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quick_switches() -> Iterator[None]:
    """Let the interpreter change between threads every microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def together(*functions: Callable[[], Any]) -> list[Any]:
    """Call all functions at the same moment, each in a thread and a copy of this context; return their results, or raise what one did."""
    start = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)
    errors: list[BaseException] = []

    def run(index: int, function: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[index] = function()
        except BaseException as error:  # noqa: BLE001  (raised below)
            errors.append(error)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run, index, function)) for index, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
