"""The async twins of a trace's methods: they record when they are called, so a forgotten `await` loses nothing."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ParamSpec, TypeVar

from .._runtime import guard

P = ParamSpec("P")
R = TypeVar("R")

_twins: list[Callable[..., Any]] = []


class Recorded(Coroutine[Any, Any, R]):
    """A coroutine that has finished: it returns what the method returned. It need not be awaited, and no warning appears."""

    __slots__ = ("_result",)

    def __init__(self, result: R) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, Any, R]:
        yield from ()
        return self._result

    def send(self, _value: Any, /) -> Any:
        """End at once."""
        raise StopIteration(self._result)

    def throw(self, kind: Any, error: Any = None, _traceback: Any = None, /) -> Any:
        """Raise what is thrown in."""
        raise kind if error is None else error

    def close(self) -> None:
        """Do nothing: it is through."""


_NOTHING = Recorded(None)


def twin(method: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make what looks like a coroutine function of `method`, which records when it is called, and then may be awaited or not.

    A call with wrong arguments is logged, as that of the method's `_sync` twin is.
    """
    guarded = guard.recording(method)

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> Recorded[Any]:
        result = guarded(*args, **kwargs)
        return _NOTHING if result is None else Recorded(result)

    _twins.append(call)
    return call


def tell_inspect() -> None:
    """Let `inspect.iscoroutinefunction` know the twins, from Python 3.12 on. Loads `inspect`, which a client needs anyway."""
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction  # noqa: PLC0415

        for function in _twins:
            markcoroutinefunction(function)
