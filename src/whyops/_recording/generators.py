"""Generators and coroutines whose steps are taken with a frame current that the consumer does not have.

`generator_function` and `async_generator_function` make the wrappers of `@tool` and `bind_context`: what is sent, thrown and returned
passes through them, and the `Steps` that belong to a call say what is current in each step, and are told what was yielded and how it
ended.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Token, copy_context
from typing import Any, TypeVar

from .._encoding import Encoded
from .._runtime import guard
from .._wire.exceptions import NOT_CAPTURED
from .._wire.write import stopped
from . import context
from .callable_wrapper import CallableWrapper
from .frames import Frame
from .open_generators import COLLECTS_ANYWHERE, keeps_current
from .tool_call import ToolCallWriter

R = TypeVar("R")
K = TypeVar("K")
Begin = Callable[[tuple[Any, ...], dict[str, Any]], "Steps"]

_FOR_THE_CUT = 64
"""Bytes of the bound that are kept for saying what was left out."""


class Steps:
    """Takes steps with a frame current, or with none, and puts back what the consumer had current.

    What the body itself leaves current at a `yield` (an open trace block, say) is there again at its next step.
    """

    __slots__ = ("_inside",)

    def __init__(self, frame: Frame | None) -> None:
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

    def _end(self, token: Token[Frame | None]) -> None:
        inside = context.current.get()
        if context.put_back(token):  # else the step was given up, and is ended by who found it
            self._inside = inside

    def yielded(self, item: object) -> None:
        """Take note of an item. Steps that are recorded override this."""

    def ended(self, error: BaseException | None) -> None:
        """Take note of the end: by which exception, or by none. Steps that are recorded override this."""


class _UnchangedSteps(Steps):
    """Takes the steps, and does nothing else."""

    def take(self, step: Callable[[Any], R], given: Any) -> R:
        return step(given)

    async def wait_for(self, step: Awaitable[R]) -> R:
        return await step


UNCHANGED = _UnchangedSteps(None)
"""The steps of a generator for which nothing is to be recorded, nor made current."""


class RecordedSteps(Steps):
    """The steps of a generator that is a tool, with what it yielded.

    Each item is encoded when it is yielded, as the consumer may change it. Together they take no more than one value may; past that bound
    they are counted.
    """

    __slots__ = ("_call", "_captures_result", "_cuts", "_expected", "_items", "_redactions", "_room", "_yielded")

    def __init__(self, call: ToolCallWriter, frame: Frame, expected: tuple[type[BaseException], ...], *, captures_result: bool) -> None:
        super().__init__(frame)
        self._call = call
        self._expected = expected
        self._captures_result = captures_result
        self._items: list[str] = []
        self._room = call.trace.recorder.max_value_bytes - _FOR_THE_CUT
        self._cuts = self._redactions = self._yielded = 0

    @guard.recording
    def yielded(self, item: object) -> None:
        """Encode one item, while there is room."""
        self._yielded += 1
        if self._room < 0 and self._items:
            return
        recorder = self._call.trace.recorder
        encoded, cuts, redactions = recorder.encode(recorder.shown(item))
        self._room -= 1 + (len(encoded) if encoded.isascii() else len(encoded.encode()))
        if self._room >= 0 or not self._items:
            self._items.append(encoded)
            self._cuts += cuts
            self._redactions += redactions

    def ended(self, error: BaseException | None) -> None:
        """Record what was yielded: also by one that was closed early, which is no error, or stopped from outside."""
        is_error = isinstance(error, Exception) and not isinstance(error, (StopIteration, StopAsyncIteration))
        if error is not None and (is_error or isinstance(error, self._expected)):
            self._call.fail(error, expected=self._expected)
        elif self._captures_result:
            self._call.succeed_encoded(self._results(), stopped(error))
        else:
            self._call.succeed(NOT_CAPTURED, stopped(error))

    def _results(self) -> Encoded:
        """Return the `toolResults` object of all that was yielded."""
        items = self._items
        is_cut = len(items) < self._yielded
        if is_cut:
            items = [*items, f'"[cut: {len(items)} of {self._yielded} items]"']
        return f'{{"result":[{",".join(items)}]}}', self._cuts + is_cut, self._redactions


def generator_function(function: Callable[..., Generator[Any, Any, Any]], begin: Begin) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a generator function that takes the steps of `function`'s generators as `begin(args, kwargs)` says, from the first on."""

    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = begin(args, kwargs)
        inner: Generator[Any, Any, Any] | None = None
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                if inner is None:
                    inner = function(*args, **kwargs)
                item = steps.take(inner.send, sent) if thrown is None else steps.take(inner.throw, thrown)
            except StopIteration as stop:
                steps.ended(thrown)
                return stop.value
            except BaseException as error:
                steps.ended(error)
                raise
            finally:
                thrown = None
            steps.yielded(item)
            try:
                sent = yield item
            except BaseException as error:  # noqa: BLE001  (the boundary "a consumer's throw": it goes on into the function)
                thrown = error

    return wrapper


def async_generator_function(function: Callable[..., AsyncGenerator[Any, Any]], begin: Begin) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Do as `generator_function` does, for an async generator function."""

    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = begin(args, kwargs)
        inner: AsyncGenerator[Any, Any] | None = None
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                if inner is None:
                    inner = function(*args, **kwargs)
                    item = await steps.wait_for(unwatched_first_step(inner))
                elif thrown is not None and getattr(inner, "ag_frame", inner) is None:
                    # The garbage collector has closed the function's generator, which then takes no notice of what is thrown.
                    raise thrown  # noqa: TRY301  (as the function would)
                else:
                    item = await steps.wait_for(inner.asend(sent) if thrown is None else inner.athrow(thrown))
            except StopAsyncIteration:
                steps.ended(thrown)
                return
            except BaseException as error:
                steps.ended(error)
                raise
            finally:
                thrown = None
            steps.yielded(item)
            try:
                sent = yield item
            except BaseException as error:  # noqa: BLE001  (the boundary "a consumer's throw")
                thrown = error

    return wrapper


def by_kind(function: Callable[..., Any], plain: K, coroutine: K, generator: K, async_generator: K) -> K:
    """Return the one that is for what a call of `function` gives: for a callable object, its `__call__` tells."""
    import inspect  # noqa: PLC0415  (`import whyops` does not pay for what a program may never use)

    if inspect.isroutine(function) or isinstance(function, functools.partial):
        called: Callable[..., Any] = function
    else:
        called = function.__call__ if isinstance(function, CallableWrapper) else type(function).__call__
    kinds = (
        (inspect.isasyncgenfunction, async_generator),
        (inspect.isgeneratorfunction, generator),
        (inspect.iscoroutinefunction, coroutine),
    )
    return next((kind for is_of_kind, kind in kinds if is_of_kind(called)), plain)


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
