"""`bind_context`: a function that runs in the trace and span in which it was bound, in any thread, task or process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from . import context
from .frames import Frame
from .generators import Steps, async_generator_function, by_kind, generator_function
from .open_generators import keeps_current
from .trace_writer import TraceWriter

P = ParamSpec("P")
R = TypeVar("R")


def bind_context(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` bound to the trace and span that are current now, wherever it runs: `pool.map(whyops.bind_context(f), items)`.

    Only WhyOps' own variable is carried over; it is set before each call and restored after it; around each step of a coroutine or
    generator. What comes back has the function's name, signature and kind, and pickles if the function does: so it carries the trace into
    other processes too, with the client's settings, but for its key, `transport` and `sink`, which the environment stands in for there.
    """
    return cast("Callable[P, R]", _bound(function, context.bound_frame()))


class BoundFunction:
    """A function, and the frame that is current while it runs; None for none."""

    __slots__ = ("__dict__", "__weakref__", "_frame", "_function")

    def __init__(self, function: Callable[..., Any], frame: Frame | None) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._frame = frame

    @keeps_current
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        token = context.current.set(self._frame)
        try:
            return self._function(*args, **kwargs)
        finally:
            context.put_back(token)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        bind = getattr(type(self._function), "__get__", None)
        method = self._function if bind is None else bind(self._function, instance, owner)
        return self if method is self._function else type(self)(method, self._frame)

    def __reduce__(self) -> tuple[object, ...]:
        frame = self._frame
        return _arrived, (self._function, None, None) if frame is None else (self._function, frame.trace, frame.span_id)


class BoundCoroutineFunction(BoundFunction):
    """The same of an `async def`."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return await Steps(self._frame).wait_for(self._function(*args, **kwargs))


def _call(bound: BoundFunction, *args: Any, **kwargs: Any) -> Any:
    return bound._function(*args, **kwargs)  # noqa: SLF001  (of this file)


def _steps(args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Steps:
    return Steps(args[0]._frame)  # noqa: SLF001  (as above)


class BoundGeneratorFunction(BoundFunction):
    """The same of a generator function."""

    __call__ = generator_function(_call, _steps)


class BoundAsyncGeneratorFunction(BoundFunction):
    """The same of an async generator function."""

    __call__ = async_generator_function(_call, _steps)


def _bound(function: Callable[..., Any], frame: Frame | None) -> BoundFunction:
    kind = by_kind(function, BoundFunction, BoundCoroutineFunction, BoundGeneratorFunction, BoundAsyncGeneratorFunction)
    return kind(function, frame)


def _arrived(function: Callable[..., Any], trace: TraceWriter | None, span_id: str | None) -> BoundFunction:
    """Return a bound function out of a pickle."""
    if trace is not None:
        trace.sent_from = span_id
    return _bound(function, None if trace is None else Frame(trace, span_id, None, None, is_trace=True))
