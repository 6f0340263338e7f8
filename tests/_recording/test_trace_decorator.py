"""`@whyops.trace` on a function: each call is a trace of its own."""

from __future__ import annotations

import asyncio
import functools
import inspect
from unittest.mock import MagicMock

import pytest

import whyops
from whyops.testing import capture


@whyops.tool
def look_up(value):
    return value


@whyops.trace
def answer(value):
    """Answer."""
    return look_up(value)


@whyops.trace
async def answer_later(value):
    await asyncio.sleep(0)
    return look_up(value)


@whyops.trace
def stream(value):
    sent = yield look_up(value)
    try:
        yield look_up(sent)
    except KeyError:
        yield look_up("thrown")
    return "end"


@whyops.trace
async def stream_later(value):
    try:
        sent = yield look_up(value)
        try:
            yield look_up(sent)
        except KeyError:
            yield look_up("thrown")
    finally:
        look_up("closed")


class Agent:
    @whyops.trace
    def run(self, value):
        return look_up(value)

    @whyops.trace
    @classmethod
    def make(cls, value):
        return look_up((cls.__name__, value))

    @staticmethod
    @whyops.trace
    def help(value):
        return look_up(value)


def recorded(captured):
    """Return the arguments of the calls, by trace."""
    traces = {}
    for event in captured.of_type("tool_call_request"):
        traces.setdefault(event["traceId"], []).append(event["content"]["toolCalls"][0]["arguments"]["value"])
    return list(traces.values())


def steps_of(generator):
    return [next(generator), generator.send("sent"), generator.throw(KeyError()), *generator]


async def steps_later(generator):
    return [
        await generator.__anext__(),
        await generator.asend("sent"),
        await generator.athrow(KeyError()),
        *[each async for each in generator],
    ]


def test_each_call_is_a_trace():
    """Functions, methods, coroutines and both kinds of generators: what they call is in a trace that begins and ends with them."""
    with capture() as captured:
        assert [answer(1), answer(2), asyncio.run(answer_later(3))] == [1, 2, 3]
        assert steps_of(stream(4)) == asyncio.run(steps_later(stream_later(4))) == [4, "sent", "thrown"]
        assert [Agent().run(5), Agent.make(6), Agent().help(7)] == [5, ("Agent", 6), 7]
        assert whyops.current_trace() is None
        expected = [[1], [2], [3], [4, "sent", "thrown"], [4, "sent", "thrown", "closed"], [5], [["Agent", 6]], [7]]
        assert recorded(captured) == expected


def test_a_stream_that_is_closed_early_ends_its_trace():
    """The function's own `finally` runs in the trace, and nothing is recorded as an error."""

    async def leave():
        generator = stream_later(1)
        await generator.__anext__()
        await generator.aclose()

    with capture() as captured:
        asyncio.run(leave())
        assert recorded(captured) == [[1, "closed"]]
        assert not captured.of_type("error")


def test_a_consumer_is_outside_of_the_streams_trace():
    """Between two steps nothing of the stream is current, and what is called then is not in its trace."""
    with capture() as captured, whyops.trace("consumer"):
        generator = stream(1)
        next(generator)
        look_up("between")
        generator.send(2)
        assert recorded(captured) == [[1, 2], ["between"]]


def test_the_decorated_function_is_of_the_same_kind():
    """Name, docstring, signature and kind stay; what the generator returns is returned."""
    assert (answer.__name__, answer.__doc__, str(inspect.signature(answer))) == ("answer", "Answer.", "(value)")
    assert inspect.iscoroutinefunction(answer_later)
    assert inspect.isgeneratorfunction(stream)
    assert inspect.isasyncgenfunction(stream_later)
    with capture():
        assert asyncio.run(asyncio.wait_for(answer_later(1), 5)) == 1
        returned = []

        def consume():
            returned.append((yield from stream(1)))

        list(consume())
    assert returned == ["end"]


def test_an_exception_is_recorded_once_and_goes_on():
    """What leaves the function is an error of its trace, as it is of a block."""

    @whyops.trace
    def fail():
        raise ValueError("no order")

    with capture() as captured:
        with pytest.raises(ValueError, match="no order"):
            fail()
        (error,) = captured.of_type("error")
        assert error["content"]["message"] == "no order"


def test_the_client_is_the_one_that_is_the_default_then():
    """A function is decorated before anything is configured; with a client's own `trace`, that client's agent is named."""
    with capture(agent_name="first") as first:
        answer(1)
        assert first.events[0]["agentName"] == "first"
        other = whyops.WhyOps(agent_name="second", sink=first._sink, outbox="memory")
        assert other.trace(functools.partial(look_up, 2))() == 2
        other.close_sync()
        assert first.events[-1]["agentName"] == "second"


def test_what_is_no_function_is_an_id():
    """Whatever stands for an id goes on doing so, a mock of one too; a class is refused, and a trace is no decorator."""
    with capture():
        assert isinstance(whyops.trace(MagicMock()), whyops.Trace)
        assert whyops.trace(123).id == "123"
        with pytest.raises(TypeError, match="not the class Agent"):
            whyops.trace(Agent)
        with pytest.raises(TypeError, match=r"with whyops\.trace\("):

            @whyops.trace("session-1")  # type: ignore[operator]  # that is the mistake
            def run() -> None: ...
