"""What has to be known about forks: who has to be told in the child, and what must not be cut in two."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Forked(Protocol):
    """Something whose threads, locks and open files stay with the parent."""

    def after_fork_in_child(self) -> None:
        """Begin anew, without touching what belongs to the parent."""
        ...


_lock = threading.RLock()  # a sink may fork while it is made
_told: weakref.WeakSet[Forked] = weakref.WeakSet()
_registered = False
_is_child = False


@contextmanager
def forks_wait() -> Iterator[None]:
    """Hold up forks for a moment: a module that another thread is importing would stay half imported in the child for good."""
    with _lock:
        yield


def tell_children(who: Forked) -> None:
    """Call `who` after each fork from now on, in the child, as long as it lives."""
    global _registered  # noqa: PLW0603 - a hook can't be taken back, so it is registered once, and not before it is needed
    with _lock:
        _told.add(who)
        if not _registered and hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_in_child)
            _registered = True


def is_child() -> bool:
    """Tell whether this process was forked from one that delivered."""
    return _is_child


def _after_in_child() -> None:
    global _is_child  # noqa: PLW0603 - a fact about the process
    _is_child = True
    _lock.release()
    for who in list(_told):
        who.after_fork_in_child()
