"""A function bound to its trace: in threads, tasks and pickles, and what it still is."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
import inspect
import pickle
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import whyops
from tests._recording.recording import Recording
from whyops._recording import context
from whyops._recording.bind_context import bind_context
from whyops.testing import MemorySink


def through_pickle(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def place() -> tuple[str | None, str | None]:
    """Return the ids of the trace and the span that are current."""
    frame = context.top()
    return (None, None) if frame is None else (frame.trace.id, frame.span_id)


def sync(_: object = None) -> Any:
    return place()


async def coroutine(_: object = None) -> Any:
    await asyncio.sleep(0)
    return place()


def generator(_: object = None) -> Generator[Any, Any, Any]:
    yield place()
    return place()


async def async_generator(_: object = None) -> AsyncGenerator[Any, Any]:
    yield place()
    await asyncio.sleep(0)
    yield place()


async def places(function: Callable[..., Any]) -> list[Any]:
    """Return where each step of a function ran, and where its caller was between them."""
    called = function(1)
    if inspect.iscoroutine(called):
        return [await called, place()]
    if inspect.isasyncgen(called):
        return [each async for item in called for each in (item, place())]
    return [each for item in called for each in (item, place())] if inspect.isgenerator(called) else [called, place()]


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def method(self, word: str) -> tuple[str, str, Any]:
        return self.name, word, place()

    async def __call__(self, _: object = None) -> Any:
        return await coroutine()


KINDS = {
    "sync": sync,
    "coroutine": coroutine,
    "generator": generator,
    "async generator": async_generator,
    "partial": functools.partial(coroutine),
    "object": Named("called"),
}


@pytest.mark.parametrize("function", KINDS.values(), ids=KINDS)
def test_each_step_of_it_runs_where_it_was_bound(function: Callable[..., Any]) -> None:
    """The trace and span are current whenever the function's own code runs, and nowhere else, of whichever kind it is."""
    with Recording().trace("t") as trace, trace.tool_span("outer") as span:
        bound = bind_context(function)
    with ThreadPoolExecutor(1) as pool:
        inside, *others = pool.submit(asyncio.run, places(bound)).result()
    assert inside == ("t", span.span_id)
    assert all(each == ((None, None) if index % 2 == 0 else inside) for index, each in enumerate(others))


@pytest.mark.parametrize("function", KINDS.values(), ids=KINDS)
def test_bound_outside_any_trace_it_runs_outside_any(function: Callable[..., Any]) -> None:
    """Also where the caller has one, and also out of a pickle."""
    for bound in (bind_context(function), through_pickle(bind_context(function))):
        with Recording().trace("caller's"):
            inside, outside, *_ = asyncio.run(places(bound))
        assert inside == (None, None)
        assert outside == ("caller's", None)


@pytest.mark.parametrize("function", [*KINDS.values(), Named], ids=[*KINDS, "class"])
def test_it_is_of_the_functions_kind(function: Callable[..., Any]) -> None:
    """Frameworks that ask for the kind, of it or of its `__call__`, name, doc and signature get the function's."""
    bound = bind_context(function)
    for asks in (inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction):
        told = asks(function) or (not inspect.isroutine(function) and asks(getattr(function, "__call__", None)))  # noqa: B004  (asked as frameworks do)
        assert asks(type(bound).__call__) == bool(told) or isinstance(function, type)
    assert inspect.signature(bound) == inspect.signature(function)
    assert getattr(bound, "__name__", None) == getattr(function, "__name__", None)
    assert bound.__doc__ == function.__doc__
    assert bound.__wrapped__ is function  # type: ignore[attr-defined]


def test_a_generator_takes_what_is_sent_and_thrown() -> None:
    """`send`, `throw`, `close` and the returned value go through, and a block that the body holds open is there at its next step."""
    heard: list[object] = []
    recording = Recording()

    def body() -> Generator[Any, Any, str]:
        with recording.trace("inner"):
            heard.append((yield place()))
            try:
                yield place()
            except ValueError as error:
                heard.append(error)
            yield place()
        return "done"

    with recording.trace("outer"):
        steps = bind_context(body)()
        assert next(steps) == ("inner", None)
        assert place() == ("outer", None)
        assert steps.send("word") == ("inner", None)
        thrown = ValueError("thrown")
        assert steps.throw(thrown) == ("inner", None)
        with pytest.raises(StopIteration, match="done"):
            next(steps)
    assert heard == ["word", thrown]
    bind_context(body)().close()


def test_an_async_generator_takes_what_is_sent_and_thrown() -> None:
    """As a plain one does; closed early, its own `finally` runs once, in its trace."""
    heard: list[object] = []

    async def body() -> AsyncGenerator[Any, Any]:
        try:
            heard.append((yield 1))
            try:
                yield 2
            except ValueError as error:
                heard.append(error)
            yield 3
        finally:
            heard.append(place())

    async def main() -> None:
        with Recording().trace("t"):
            bound = bind_context(body)
        steps = bound()
        assert await steps.asend(None) == 1
        assert await steps.asend("word") == 2
        assert await steps.athrow(ValueError("thrown")) == 3
        await steps.aclose()

    asyncio.run(main())
    assert [str(each) for each in heard] == ["word", "thrown", "('t', None)"]


def test_it_binds_as_the_function_does() -> None:
    """As a class's attribute: a function becomes a method, a static or class method and a callable object stay what they are."""

    class Agent:
        plain = bind_context(Named.method)
        static = staticmethod(bind_context(sync))
        held = bind_context(Named("held"))

    with Recording().trace("t"):
        bound = bind_context(Named("a").method)
        agent = Named("b")
        method = bind_context(Named.method).__get__(agent)  # type: ignore[attr-defined]
    assert bound("word") == ("a", "word", ("t", None))
    assert method("word") == ("b", "word", ("t", None))
    assert str(inspect.signature(method)) == str(inspect.signature(agent.method))
    assert Agent.static(1) == (None, None)
    assert asyncio.run(Agent().held()) == (None, None)
    assert Agent.plain(agent, "word") == ("b", "word", (None, None))
    assert Agent.plain.__wrapped__ is Named.method  # type: ignore[attr-defined]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle], ids=["copy", "deep", "pickle"])
@pytest.mark.parametrize("function", list(KINDS.values())[:4], ids=list(KINDS)[:4])
def test_out_of_a_pickle_it_runs_where_it_was_bound(again: Callable[[Any], Any], function: Callable[..., Any]) -> None:
    """Also pickled in another thread, as the pools of processes do."""
    with whyops.WhyOps(agent_name="bound", sink=MemorySink()) as sdk:
        with sdk.trace("t", "someone") as trace, trace.tool_span("outer") as span:
            bound = bind_context(function)
        with ThreadPoolExecutor(1) as pool:
            loaded = pool.submit(again, bound).result()
        assert asyncio.run(places(loaded))[0] == ("t", span.span_id)
        assert loaded.__name__ == function.__name__


def test_it_carries_the_trace_into_a_pool() -> None:
    """A bound function finds the trace in each thread of a pool, and leaves nothing behind in it."""
    trace = Recording().trace("t")
    with ThreadPoolExecutor(2) as pool:
        with trace:
            bound = bind_context(lambda _: whyops.current_trace())
            assert set(pool.map(bound, range(8))) == {trace}
        assert set(pool.map(lambda _: whyops.current_trace(), range(8))) == {None}


def test_it_leaves_other_variables_alone() -> None:
    """Only our own variable is carried: the caller's are those of the thread that runs the function."""
    theirs: contextvars.ContextVar[str] = contextvars.ContextVar("theirs", default="unset")
    theirs.set("caller's")
    seen: list[str] = []
    thread = threading.Thread(target=bind_context(lambda: seen.append(theirs.get())))
    thread.start()
    thread.join()
    assert seen == ["unset"]


def test_it_can_be_bound_again() -> None:
    """The innermost binding counts, and attributes of the function stay reachable."""

    def function() -> Any:
        return place()

    function.flavour = "sweet"  # type: ignore[attr-defined]
    with Recording().trace("first"):
        bound = bind_context(function)
    with Recording().trace("second"):
        again = bind_context(bound)
    assert again() == ("first", None)
    assert again.flavour == "sweet"  # type: ignore[attr-defined]
