"""Writes a line with one system call, and without letting go of the interpreter where another thread may want it.

`os.write` lets go of it, though the system has the line within a microsecond; where another thread computes in Python, it then takes up to
5 ms to get it back. C's own `write`, called with the interpreter held, spares that, and costs 0.6 µs more. All threads wait with a write
that waits for its disk; where one did, `os.write` is used from then on.
"""

from __future__ import annotations

import os
import time
from _thread import _count as threads  # of Python's, apart from the first one: the sender's is among them
from collections.abc import Callable

from whyops._forks import forks_wait

SLOW_SECONDS = 0.2

_held: Callable[[int, bytes, int], int] | None = None


def write(fd: int, line: bytes) -> int:
    """Return how many bytes were taken.

    Raises:
        OSError: none were.
    """
    if _held is None or threads() < 2:
        return os.write(fd, line)
    started = time.monotonic()
    written = _held(fd, line, len(line))
    if time.monotonic() - started > SLOW_SECONDS:
        _let_go()
    return written if written >= 0 else os.write(fd, line)


def prepare() -> None:
    """Find C's `write` once there are other threads. It takes milliseconds, so the sender's thread does it."""
    global _held  # noqa: PLW0603  (set once)
    if _held is not None or threads() < 2:
        return
    try:
        with forks_wait():
            import ctypes  # noqa: PLC0415  (a program without threads need not load it)
        found = ctypes.PyDLL(None).write
        found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
        found.restype = ctypes.c_ssize_t
    except Exception:  # noqa: BLE001  (not built in, or some rule forbids it here: nothing is lost but time)
        _let_go()
    else:
        _held = found


def _let_go() -> None:
    """Leave all lines to `os.write`, for good."""
    global _held  # noqa: PLW0603  (as above)
    _held = _nothing


def _nothing(_fd: int, _line: bytes, _size: int) -> int:
    return -1
