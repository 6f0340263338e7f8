"""Advisory locks on files: whoever lives holds them, and death lets go of them."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


def lock(fd: int, *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file.

    Raises:
        OSError: another holds it, or there are no locks on this system or on that disk.
    """
    if fcntl is None:
        raise OSError("there are no file locks on this system")
    fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def unlock(fd: int) -> None:
    """Let go of a lock before its file is closed: a child that was forked meanwhile would else go on holding it."""
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_UN)


def exist() -> bool:
    """Tell whether this system has such locks, and files that belong to somebody: Windows and Pyodide do not."""
    return fcntl is not None and hasattr(os, "geteuid")
