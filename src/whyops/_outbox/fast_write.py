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

from .._runtime.forks import forks_wait

SLOW_SECONDS = 0.2

write: Callable[[int, bytes], int] = os.write
"""Returns how many bytes were taken, or raises `OSError`. It is `os.write` itself, without a call around it, until `held` is there."""

held: Callable[[int, bytes, int], int] | None = None
"""C's `write`, once it was looked for and as long as it is quick."""
_looked = False


def _write_held(fd: int, line: bytes) -> int:
    global held, write
    in_one_go = held
    if in_one_go is None or threads() < 2:
        return os.write(fd, line)
    started = time.monotonic()
    written = in_one_go(fd, line, len(line))
    if time.monotonic() - started > SLOW_SECONDS:
        held, write = None, os.write
    return written if written >= 0 else os.write(fd, line)


def prepare() -> None:
    """Look for C's `write`, once, when there are other threads. It takes milliseconds, so the sender's thread does it."""
    global held, write, _looked  # noqa: PLW0603  (set once)
    if _looked or threads() < 2:
        return
    _looked = True
    try:
        with forks_wait():
            import ctypes  # noqa: PLC0415  (a program without threads need not load it)
        found = ctypes.PyDLL(None).write
        found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
        found.restype = ctypes.c_ssize_t
    except Exception:  # noqa: BLE001  (the boundary "a quicker write": not built in, or forbidden)
        return
    held, write = found, _write_held
