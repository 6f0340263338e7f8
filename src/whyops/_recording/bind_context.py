"""`bind_context`: a function that runs in the trace and span in which it was bound, in any thread, task or process."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from .context import Frame, bound_frame, current, put_back
from .generators import keeps_current
from .steps import Steps, unwatched_first_step

if TYPE_CHECKING:
    from .trace import Trace

    Function = Callable[..., Any]

P = ParamSpec("P")
R = TypeVar("R")


def bind_context(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` bound to the trace and span that are current now, wherever it runs: `pool.map(whyops.bind_context(f), items)`.

    Only WhyOps' own variable is carried over; it is set before each call and restored after it; around each step of a coroutine or
    generator. What comes back has the function's name, signature and kind, and pickles if the function does: so it carries the trace into
    other processes too, with the client's settings, but for its key, `transport` and `sink`, which the environment stands in for there.
    """
    return cast("Callable[P, R]", _kind_of(function)(function, bound_frame()))


class BoundFunction:
    """A function, and the frame that is current while it runs; None for none."""

    __slots__ = ("__dict__", "__weakref__", "_frame", "_function")

    def __init__(self, function: Function, frame: Frame | None) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._frame = frame

    @keeps_current
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        token = current.set(self._frame)
        try:
            return self._function(*args, **kwargs)
        finally:
            put_back(token)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        bind = getattr(type(self._function), "__get__", None)
        method = self._function if bind is None else bind(self._function, instance, owner)
        return self if method is self._function else type(self)(method, self._frame)

    def __reduce__(self) -> tuple[object, ...]:
        frame = self._frame
        return _arrived, (self._function, None, None) if frame is None else (self._function, frame.trace, frame.span_id)


class BoundCoroutineFunction(BoundFunction):
    """The same of an `async def`."""

    __slots__ = ()

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return await Steps(self._frame).wait_for(self._function(*args, **kwargs))


class BoundGeneratorFunction(BoundFunction):
    """The same of a generator function."""

    __slots__ = ()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = self._function(*args, **kwargs)
        steps = Steps(self._frame)
        step, given = inner.send, None
        while True:
            try:
                item = steps.take(step, given)
            except StopIteration as stop:
                return stop.value
            try:
                step, given = inner.send, (yield item)
            except BaseException as error:  # noqa: BLE001  (thrown on into the function)
                step, given = inner.throw, error


class BoundAsyncGeneratorFunction(BoundFunction):
    """The same of an async generator function."""

    __slots__ = ()

    async def __call__(self, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = self._function(*args, **kwargs)
        steps = Steps(self._frame)
        step = unwatched_first_step(inner)
        while True:
            try:
                item = await steps.wait_for(step)
            except StopAsyncIteration:
                return
            try:
                step = inner.asend((yield item))
            except BaseException as error:  # noqa: BLE001  (as above)
                step = inner.athrow(error)


def _kind_of(function: Function) -> type[BoundFunction]:
    """Choose by what a call of `function` gives: for a callable object, its `__call__` tells."""
    import inspect  # noqa: PLC0415  (`import whyops` does not pay for what a program may never use)

    called = function if inspect.isroutine(function) or isinstance(function, functools.partial) else type(function).__call__
    if inspect.isasyncgenfunction(called):
        return BoundAsyncGeneratorFunction
    if inspect.isgeneratorfunction(called):
        return BoundGeneratorFunction
    return BoundCoroutineFunction if inspect.iscoroutinefunction(called) else BoundFunction


def _arrived(function: Function, trace: Trace | None, span_id: str | None) -> BoundFunction:
    """Return a bound function out of a pickle."""
    return _kind_of(function)(function, None if trace is None else Frame(trace, span_id, trace, None))
