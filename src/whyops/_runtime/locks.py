"""Advisory locks on files: a process has them until it releases them or ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .clock import CLOCK
from .private_files import open_private

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_AGAIN_SECONDS = 0.01


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


@contextlib.contextmanager
def alone(path: Path, seconds: float) -> Iterator[None]:
    """Do something while no other process, and nobody else in this one, does it too; after so many seconds of waiting all the same."""
    end = CLOCK.monotonic() + seconds
    with contextlib.ExitStack() as held:
        while not _is_had(path, held) and CLOCK.monotonic() < end:
            time.sleep(_AGAIN_SECONDS)
        yield


def _is_had(path: Path, held: contextlib.ExitStack) -> bool:
    """Take a lock for as long as `held` is; False if another has it. Where none can be had at all, that is no reason to wait."""
    try:
        held.enter_context(locked(path, os.O_RDWR | os.O_CREAT))
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def exist() -> bool:
    """Tell whether this system has such locks, and files with owners: Windows and Pyodide do not."""
    return fcntl is not None and hasattr(os, "geteuid")
