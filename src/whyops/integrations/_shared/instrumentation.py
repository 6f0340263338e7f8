"""Which calls of a framework's `instrument()` are in force."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar, final

from ..._runtime import forks

T = TypeVar("T")


@final
class Instrumentation(AbstractContextManager["Instrumentation"]):
    """What `instrument` switched on. `uninstrument()`, or the end of a `with` block, switches it off again."""

    def __init__(self, take_back: Callable[[Instrumentation], None]) -> None:
        self._take_back = take_back

    def uninstrument(self) -> None:
        """Take back this one call of `instrument`; others stay in force. A second call does nothing."""
        self._take_back(self)

    def __exit__(self, *_: object) -> None:
        self.uninstrument()


class InForce(Generic[T]):
    """The calls of one framework's `instrument` that are in force, each with what it asked for. The latest decides.

    `attach` is called with each, and adds our handlers to the framework's unless they are there; `detach` when none is left.
    """

    def __init__(self, attach: Callable[[], None], detach: Callable[[], None] | None = None) -> None:
        self._attach = attach
        self._detach = detach
        self._calls: list[tuple[Instrumentation, T]] = []

    def latest(self) -> T | None:
        """Return what the latest call asked for; None if none is in force."""
        latest = self._calls[-1:]
        return latest[0][1] if latest else None

    def add(self, asked: T) -> Instrumentation:
        """Put a call in force."""
        with _changing:
            instrumentation = Instrumentation(self._take_back)
            self._calls.append((instrumentation, asked))
            self._attach()
        return instrumentation

    def _take_back(self, instrumentation: Instrumentation) -> None:
        with _changing:
            self._calls = [call for call in self._calls if call[0] is not instrumentation]
            if not self._calls and self._detach is not None:
                self._detach()


_changing = threading.RLock()


def _after_fork_in_child() -> None:
    global _changing  # noqa: PLW0603  (no thread of the parent holds the new one)
    _changing = threading.RLock()


forks.in_child(_after_fork_in_child)
