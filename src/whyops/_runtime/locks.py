"""Advisory locks on files: a process has them until it releases them or ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from .private_files import open_private

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


def lock(fd: int, *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file.

    Raises:
        OSError: another process has it, or this system or that disk has no locks.
    """
    if fcntl is None:
        raise OSError("there are no file locks on this system")
    fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def unlock(fd: int) -> None:
    """Release a lock before its file is closed: a child that was forked meanwhile would otherwise keep it."""
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_UN)


@contextlib.contextmanager
def locked(path: Path, flags: int, *, wait: bool = False, needed: bool = True) -> Iterator[int]:
    """Open a file of ours, locked for as long as it is open; not locked, if the lock is not `needed` and not available.

    Raises:
        OSError: it can't be opened, or it can't be locked.
    """
    fd = open_private(path, flags)
    try:
        with contextlib.nullcontext() if needed else contextlib.suppress(OSError):
            lock(fd, wait=wait)
        yield fd
    finally:
        with contextlib.suppress(OSError):
            unlock(fd)
        os.close(fd)


def exist() -> bool:
    """Tell whether this system has such locks, and files with owners: Windows and Pyodide do not."""
    return fcntl is not None and hasattr(os, "geteuid")
