"""The steps of generators and coroutines, each taken with a frame current that the consumer does not have."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import Token, copy_context
from typing import Any, TypeVar

from . import context
from .generators import COLLECTS_ANYWHERE, keeps_current

R = TypeVar("R")


class Steps:
    """Takes steps with a frame current, or with none, and puts back what the consumer had current.

    What the body itself leaves current at a `yield` (an open trace block, say) is there again at its next step.
    """

    __slots__ = ("_inside",)

    def __init__(self, frame: context.Frame | None) -> None:
        self._inside = frame

    def take(self, step: Callable[[Any], R], given: Any) -> R:
        """Take a step of a generator."""
        if COLLECTS_ANYWHERE and isinstance(given, GeneratorExit):
            return copy_context().run(self._take, step, given)
        return self._take(step, given)

    @keeps_current
    def _take(self, step: Callable[[Any], R], given: Any) -> R:
        token = context.current.set(self._inside)
        try:
            return step(given)
        finally:
            self._end(token)

    @keeps_current
    async def wait_for(self, step: Awaitable[R]) -> R:
        """Take a step of an async generator, or all of a coroutine."""
        token = context.current.set(self._inside)
        try:
            return await step
        finally:
            self._end(token)

    def _end(self, token: Token[context.Frame | None]) -> None:
        inside = context.current.get()
        if context.put_back(token):  # else the step was given up, and is ended by who found it
            self._inside = inside


class _Idle:
    """Takes the steps, and does nothing else."""

    __slots__ = ()

    def take(self, step: Callable[[Any], R], given: Any) -> R:
        return step(given)

    def wait_for(self, step: Awaitable[R]) -> Awaitable[R]:
        return step


IDLE = _Idle()


def unwatched_first_step(inner: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Make the first step of `inner` while no event loop watches for new async generators.

    A loop that knew both would close both at its end, the inner one while the wrapper is closing it.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return inner.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
