"""The end of the process: all destinations deliver at the same time, each within its limit."""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
from typing import Protocol

from . import forks


class Leaving(Protocol):
    """Something that has work to finish at the end of the process."""

    def begin_exit(self) -> None:
        """Start that work, without waiting for it."""

    def finish_exit(self) -> None:
        """Wait for it, within its own time limit, which starts at `begin_exit`."""


_lock = threading.RLock()
_leaving: forks.Living[Leaving] = forks.Living()
_registered = False


def before_exit(who: Leaving) -> None:
    """Call `who` at the end of the process, if it still exists then."""
    global _registered  # noqa: PLW0603  (one hook for all, so that their limits don't add up)
    with _lock:
        _leaving.add(who)
        if not _registered:
            atexit.register(_at_exit)
            # A child of `multiprocessing` ends without `atexit`: it calls us as it calls its own pools and queues.
            process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
            if process is not None and util is not None and process.parent_process() is not None:
                util.Finalize(None, _at_exit, exitpriority=0)
            _registered = True


def _after_fork_in_child() -> None:
    """Register again at the next `before_exit`: a child of `multiprocessing` ends without `atexit`."""
    global _lock, _registered  # noqa: PLW0603  (no thread of the parent holds the new lock; and see above)
    _lock = threading.RLock()
    atexit.unregister(_at_exit)
    _registered = False


def _at_exit() -> None:
    with _lock:
        leaving = _leaving.all()
    for who in leaving:
        with contextlib.suppress(ImportError, OSError):  # what it needs for that can't be loaded, for lack of a descriptor
            who.begin_exit()
    for who in leaving:
        who.finish_exit()


forks.in_child(_after_fork_in_child)
