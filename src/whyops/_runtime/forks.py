"""Everything about forks: what runs in the child, and what a fork must not interrupt. No other file has a fork hook.

Around a fork, in this order:
1. in the parent, before: `before_fork` of each `Held` object, then the lock of `forks_wait` is acquired;
2. in the parent, after: that lock is released, then `after_fork_in_parent` of each `Held` object;
3. in the child: the lock is released, the functions passed to `in_child` are called in the order in which they were passed, then
   `after_fork_in_child` of every object passed to `tell_children` and `hold_forks`. If one fails, the interpreter reports it, and the
   others are still called.

The locks that these create anew in a child are reentrant: where gevent takes over after the fork, such a lock still belongs to threads,
and so never makes one greenlet wait for another. What threads sleep on is created when a thread starts to sleep (`Requests.hang_bell`).
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Living(Generic[T]):
    """Objects, each for as long as somebody else has it.

    While a `WeakSet` is gone through, another thread may let go of one of its objects, and then it raises; and in the child of a fork that
    comes just then, it counts as being gone through for good.
    """

    def __init__(self) -> None:
        self._references: set[weakref.ref[T]] = set()

    def add(self, one: T) -> None:
        """Take an object in, once."""
        self._references.add(weakref.ref(one, self._references.discard))

    def all(self) -> list[T]:
        """Return those that are there now, in no order."""
        return [one for each in self._references.copy() if (one := each()) is not None]


class Forked(Protocol):
    """Something whose threads, locks and open files stay with the parent."""

    def after_fork_in_child(self) -> None:
        """Start afresh, without touching what belongs to the parent."""


class Held(Forked, Protocol):
    """Something that must not be at work while the process forks."""

    def before_fork(self) -> None:
        """Stop, within its own time limit."""

    def after_fork_in_parent(self) -> None:
        """Continue."""


_lock = threading.RLock()  # a sink may fork while it is made
_in_child: list[Callable[[], None]] = []
_told: Living[Forked] = Living()
_held: Living[Held] = Living()
_waits = False
_is_child = False


@contextmanager
def forks_wait() -> Iterator[None]:
    """Delay forks for a moment: a module that another thread is importing would stay half imported in the child for good."""
    with _lock:
        yield


def in_child(callback: Callable[[], None]) -> None:
    """Call a function after each fork from now on, in the child. For modules: it is never unregistered."""
    _in_child.append(callback)


def tell_children(who: Forked) -> None:
    """Call `who` after each fork from now on, in the child, as long as it exists."""
    global _waits  # noqa: PLW0603  (a hook can't be taken back, so it is registered once)
    with _lock:
        _told.add(who)
        # Forks wait from now on, and not before. The hooks before a fork are called in the order opposite to that of their registration.
        # So this one is registered late: it takes our lock before `logging` takes its own, which a thread that holds ours may be about to
        # take.
        if not _waits and hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before, after_in_parent=_after_in_parent)
            _waits = True


def hold_forks(who: Held) -> None:
    """Call `who` before and after each fork from now on, as long as it exists."""
    with _lock:
        _held.add(who)
    tell_children(who)


def is_child() -> bool:
    """Tell whether this process was forked from one that delivered."""
    return _is_child


def _before() -> None:
    with _lock:
        held = _held.all()
    _call_all([*(who.before_fork for who in held), _lock.acquire])


def _after_in_parent() -> None:
    _call_all([_lock.release, *(who.after_fork_in_parent for who in _held.all())])


def _after_in_child() -> None:
    global _is_child  # noqa: PLW0603  (a fact about the process)
    _is_child = _is_child or _waits
    _call_all([*([_lock.release] if _waits else []), *_in_child, *(who.after_fork_in_child for who in _told.all())])


def _call_all(callbacks: Iterable[Callable[[], object]]) -> None:
    """Call each, whatever another raises."""
    with ExitStack() as stack:
        for callback in reversed(list(callbacks)):
            stack.callback(callback)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_in_child)
