"""Counts calls, by what is told of their frames."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

K = TypeVar("K")


@contextmanager
def counted_calls(key: Callable[[FrameType], K | None], *, new_threads: bool = False) -> Iterator[Counter[K]]:
    """Count the calls in this thread for which there is a key, and with `new_threads` those in threads that start meanwhile."""
    found: Counter[K] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := key(frame)) is not None:
            found[name] += 1

    before = sys.getprofile()
    if new_threads:
        threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield found
    finally:
        sys.setprofile(before)
        if new_threads:
            threading.setprofile(before)
