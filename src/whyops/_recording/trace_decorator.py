"""`@whyops.trace`: each call of a function is a trace of its own, as if its body stood in `with whyops.trace():`."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from .generators import by_kind, unwatched_first_step
from .trace import Trace


def is_function(value: object) -> bool:
    """Tell whether somebody uses `trace` as a decorator: an id is no function, and a mock of one has no name in the code."""
    return isinstance(value, (classmethod, functools.partial, staticmethod)) or (callable(value) and hasattr(value, "__qualname__"))


def traced(function: Any, begin: Callable[[], Trace]) -> Any:
    """Return `function` with `begin()` around each call; of a generator, around its steps.

    Raises:
        TypeError: It is a class.
    """
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(traced(function.__func__, begin))
    if isinstance(function, type):
        raise TypeError(f"@whyops.trace takes a function, not the class {function.__name__}: decorate the method that runs the agent.")
    return functools.update_wrapper(by_kind(function, _sync, _async, _generator, _async_generator)(function, begin), function)


def _sync(function: Callable[..., Any], begin: Callable[[], Trace]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return function(*args, **kwargs)

    return wrapper


def _async(function: Callable[..., Any], begin: Callable[[], Trace]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        async with begin():
            return await function(*args, **kwargs)

    return wrapper


def _generator(function: Callable[..., Any], begin: Callable[[], Trace]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with begin():
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Callable[[], Trace]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        async with begin():
            inner = function(*args, **kwargs)
            step = unwatched_first_step(inner)
            while True:
                try:
                    item = await step
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  (the boundary "a consumer's throw")
                    step = inner.athrow(error)
                else:
                    step = inner.asend(sent)

    return wrapper
