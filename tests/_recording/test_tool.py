"""`@whyops.tool`: the function behaves as if the decorator were not there, and each call is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import json
import pickle
import subprocess
import sys
import threading
import typing
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import pytest

import whyops
from tests._recording.callables import CALLABLES
from tests._recording.recording import Recording
from whyops._encoding.encoder import Encoder
from whyops._recording import context
from whyops._recording.recorder import Recorder
from whyops._recording.tool import tool
from whyops._recording.trace import Trace
from whyops.errors import ConfigurationError


@pytest.mark.parametrize("build, calls", [pytest.param(build, calls, id=name) for name, build, calls in CALLABLES])
def test_a_decorated_callable_is_not_told_apart(build, calls):
    """Inside a trace and outside any, a caller sees what it sees without the decorator; each call has its request and its response."""
    expected = build(lambda function: function)()
    assert build(tool)() == expected
    recording = Recording()
    with recording.trace("t"):
        assert build(tool)() == expected
        assert context.current.get().span_id is None
    requests, responses = recording.of_type("tool_call_request"), recording.of_type("tool_call_response")
    assert len(requests) == calls
    assert sorted(event["spanId"] for event in requests) == sorted(event["spanId"] for event in responses)
    assert len({event["spanId"] for event in requests}) == calls


@tool
def at_module_level(query: str, limit: "int" = 5) -> list[str]:  # noqa: UP037  (a string annotation, as in older modules)
    """Find things."""
    return [query] * limit


def test_signature_annotations_and_docstring_stay():
    """Schema builders see the function's own signature, types, name and docstring."""
    assert str(inspect.signature(at_module_level)) == "(query: 'str', limit: \"'int'\" = 5) -> 'list[str]'"
    assert typing.get_type_hints(at_module_level) == {"query": str, "limit": int, "return": list[str]}
    assert at_module_level.__name__ == "at_module_level"
    assert at_module_level.__doc__ == "Find things."
    assert at_module_level.__module__ == __name__


def test_a_decorated_function_pickles():
    """It pickles by its name, as any function at module level does."""
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level


def test_what_is_not_callable_is_refused():
    """A mistake in the decorator's use is told when the module is loaded."""
    with pytest.raises(TypeError, match="int"):
        tool(5)
    with pytest.raises(TypeError, match="a name as text, not int"):
        tool(name=5)(len)
    with pytest.raises(TypeError, match="True or False"):
        tool(capture_arguments="no")(len)


def test_options_name_the_tool_and_hide_values():
    """`name` replaces the function's; a switch leaves values out and keeps the arguments' names."""
    recording = Recording()

    @tool(name="search", capture_arguments=False, capture_result=False)
    def find(query):
        return {"found": query}

    @tool(capture_result=False)
    def stream():
        yield "secret"

    with recording.trace("t"):
        find("secret")
        list(stream())
    assert b"secret" not in b"".join(recording.lines)
    request = recording.of_type("tool_call_request")[0]
    assert request["metadata"]["tool"] == "search"
    assert request["content"]["toolCalls"] == [{"name": "search", "arguments": {"query": "[not captured]"}}]


KINDS = ["sync", "async", "generator", "async generator"]


def failing(kind, **options):
    """Return a decorated function of a kind that fails with its argument in the text, as a function that runs one call."""

    def fail(query):
        try:
            {}[query]
        except KeyError as error:
            raise ValueError(f"no {query}") from error

    if kind == "sync":
        return tool(**options)(fail)
    if kind == "generator":

        def stream(query):
            yield 1
            fail(query)

        decorated = tool(**options)(stream)
        return lambda query: list(decorated(query))
    if kind == "async":

        async def later(query):
            await asyncio.sleep(0)
            fail(query)

        decorated = tool(**options)(later)
        return lambda query: asyncio.run(decorated(query))

    async def stream_later(query):
        yield 1
        fail(query)

    decorated = tool(**options)(stream_later)

    async def consume(query):
        return [item async for item in decorated(query)]

    return lambda query: asyncio.run(consume(query))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off", ["capture_arguments", "capture_result"])
def test_with_either_switch_off_an_error_tells_no_text(kind, off):
    """An exception may quote arguments and results alike: type and place stay, the text of it and of what led to it does not."""
    recording = Recording()
    with recording.trace("t"):
        with pytest.raises(ValueError, match="no quince"):
            failing(kind, **{off: False})("quince")
        with pytest.raises(ValueError, match="no quince"), recording.trace("inner"):
            failing(kind, **{off: False})("quince")
    errors = recording.of_type("error")
    assert [error["content"]["message"] for error in errors] == ["[not captured]"] * 2
    assert errors[0]["content"]["type"] == "ValueError"
    assert ", in fail\n" in errors[0]["content"]["stack"]
    assert recording.of_type("tool_call_response")[0]["content"]["toolResults"] == {"error": "ValueError: [not captured]"}
    told = [event for event in recording.events if off == "capture_arguments" or event["eventType"] == "error"]
    assert "quince" not in str(told)


def test_a_hidden_text_is_hidden_in_what_calls_around_it_record():
    """The tools, spans and blocks that the exception passes on its way, and who records it by hand, tell no more than the call itself."""
    recording = Recording()
    private = failing("sync", capture_arguments=False, capture_result=False)

    @tool
    def outer():
        private("quince")

    @tool
    def wraps():
        try:
            private("quince")
        except ValueError as error:
            raise LookupError("wrapped") from error

    with recording.trace("t") as trace:
        with pytest.raises(ValueError, match="quince"), trace.tool_span("span"):
            outer()
        try:
            private("quince")
        except ValueError as error:
            trace.error_sync(error)
        with pytest.raises(LookupError, match="wrapped"):
            wraps()
    assert "quince" not in str(recording.events)
    assert [error["content"]["message"] for error in recording.of_type("error")] == ["[not captured]"] * 4 + ["wrapped"]


def test_what_is_recorded_by_hand_inside_a_hidden_call_tells_no_text_of_errors():
    """Errors that the body records, in a span or a block of its own too; a decorated function that it calls has its own switches."""
    recording = Recording()

    @tool
    def open_call():
        raise LookupError("told")

    @tool(capture_result=False)
    def private(query):
        trace = whyops.current_trace()
        trace.error_sync(ValueError(query))
        trace.error_sync(query, stack=query)
        with contextlib.suppress(ValueError), trace.tool_span("span"):
            raise ValueError(query)
        with contextlib.suppress(ValueError), recording.trace("inner"):
            raise ValueError(query)
        with contextlib.suppress(LookupError):
            open_call()

    with recording.trace("t") as trace:
        private("quince")
        trace.error_sync("after")
    messages = [error["content"]["message"] for error in recording.of_type("error")]
    assert messages == ["[not captured]"] * 4 + ["told", "after"]
    assert "quince" not in str([event for event in recording.events if event.get("metadata", {}).get("tool") != "private"])


@pytest.mark.parametrize(
    "ignore, args, kwargs, expected",
    [
        ("ctx", (1, 2), {}, {"order": 2, "limit": 5}),
        (("ctx",), (), {"ctx": 1, "order": 2}, {"order": 2, "limit": 5}),
        (["ctx", "limit"], (1, 2), {"limit": 3}, {"order": 2}),
        (("limit",), (1, 2), {}, {"ctx": 1, "order": 2}),
        (("rest",), (1, 2, 3, 4), {"x": 5}, {"ctx": 1, "order": 2, "limit": 3, "more": {"x": 5}}),
        (("more",), (1, 2, 3, 4), {"x": 5}, {"ctx": 1, "order": 2, "limit": 3, "rest": [4]}),
        (("x",), (1, 2), {"x": 5, "y": 6}, {"ctx": 1, "order": 2, "limit": 5, "more": {"y": 6}}),
        ({"x"}, (1, 2), {"x": 5}, {"ctx": 1, "order": 2, "limit": 5}),
    ],
)
def test_ignored_arguments_are_not_recorded(ignore, args, kwargs, expected):
    """By position, by keyword and as a default, of the catch-alls or as one of them; the function gets them all the same."""
    recording = Recording()

    @tool(ignore=ignore)
    def find(ctx, order, limit=5, *rest, **more):
        return ctx, order, limit, rest, more

    with recording.trace("t"):
        assert find(*args, **kwargs) == find.__wrapped__(*args, **kwargs)
    for event in recording.events:
        assert event["content"]["toolCalls"][0]["arguments"] == expected


def test_an_ignored_argument_is_not_looked_at():
    """It may be anything, and as large as it likes."""
    recording = Recording()

    class Shop:
        @tool(ignore=("self", "ctx"), capture_arguments=False)
        def find(self, ctx, order):  # noqa: ARG002  (it is what is passed in that matters)
            return order

    with recording.trace("t"):
        Shop().find(object(), "1")
    assert recording.events[0]["content"]["toolCalls"][0]["arguments"] == {"order": "[not captured]"}


def test_a_name_that_no_call_has_is_refused():
    """A mistake in `ignore` is told when the module is loaded, and what there is to name; built-in functions don't tell."""

    def find(order, *, limit=5):
        return order

    with pytest.raises(ConfigurationError, match=r"'ctx'.*find\(\).*'order', 'limit'"):
        tool(ignore=("ctx", "order"))(find)
    with pytest.raises(ConfigurationError, match="none at all"):
        tool(ignore="ctx")(lambda: None)
    with pytest.raises(ConfigurationError, match="'c'"):
        tool(ignore="c")(staticmethod(find))
    with pytest.raises(TypeError, match="names of arguments"):
        tool(ignore=(5,))(find)
    with pytest.raises(TypeError, match="names of arguments"):
        tool(ignore=5)
    assert tool(ignore="value")(dict)(value=1) == {"value": 1}


def test_arguments_are_those_of_the_call():
    """What the function does to its arguments later does not change what was recorded."""
    recording = Recording()

    @tool
    def empty(items):
        items.clear()

    with recording.trace("t"):
        empty([1, 2])
    for event in recording.events:
        assert event["content"]["toolCalls"][0]["arguments"] == {"items": [1, 2]}


def test_what_a_generator_yielded_is_its_result():
    """The items come as a list, as they were when they were yielded; an early end is noted and is no error."""
    recording = Recording()

    @tool
    def stream():
        item = {"n": 0}
        for item["n"] in range(5):
            yield item

    with recording.trace("t"):
        for item in stream():
            if item["n"] == 1:
                item["n"] = "changed by the consumer"
                break
    response = recording.only("tool_call_response")
    assert response["content"]["toolResults"] == {"result": [{"n": 0}, {"n": 1}]}
    assert response["metadata"]["closedEarly"] is True
    assert not recording.of_type("error")


def test_a_long_stream_is_bounded():
    """Past the bound the items of a generator are counted, not kept."""
    recording = Recording()

    @tool
    def stream():
        for _ in range(2000):
            yield "x" * 1000

    with recording.trace("t"):
        assert len(list(stream())) == 2000
    response = recording.only("tool_call_response")
    assert len(recording.lines[-1]) < 400_000
    assert "of 2000 items" in response["content"]["toolResults"]["result"][-1]
    assert response["metadata"]["truncated"] == 1


@pytest.mark.parametrize("item", ["x" * 100, "é" * 50, {"a": ["ß" * 10] * 3}, "y" * 100_000])
@pytest.mark.parametrize("bound", [1024, 50_000])
def test_what_a_generator_yielded_is_bounded_as_one_value_is(item, bound):
    """All items together take no more bytes than the client allows one value, whatever that is, beside some for saying so."""
    lines: list[bytes] = []
    recorder = Recorder(agent_name="a", encode=Encoder(max_value_bytes=bound).encode, record=lines.append, max_value_bytes=bound)

    @tool
    def stream():
        for _ in range(3_000):
            yield item

    with Trace(recorder, "t"):
        list(stream())
    results = json.loads(lines[-1])["content"]["toolResults"]
    assert len(json.dumps(results, ensure_ascii=False, separators=(",", ":")).encode()) <= bound + 64
    assert len(results["result"]) > 1
    assert "of 3000 items" in results["result"][-1]


def test_a_span_is_current_only_while_the_body_runs():
    """Between two items of a generator the consumer is outside of it; calls inside the body are its children."""
    recording = Recording()

    @tool
    def child():
        return None

    @tool
    def stream():
        child()
        yield 1
        child()

    with recording.trace("t"):
        for _ in stream():
            child()
    requests = {event["spanId"]: event for event in recording.of_type("tool_call_request")}
    parents = [event["metadata"].get("parentSpanId") for event in requests.values()]
    stream_id = next(iter(requests))
    assert parents == [None, stream_id, None, stream_id]


def test_a_trace_opened_in_a_generator_stays_in_it():
    """What a generator's body leaves open at a yield is not current in the consumer, and is there again at the next step."""
    recording = Recording()

    @tool
    def stream():
        with recording.trace("inner") as inner:
            yield 1
            assert whyops.current_trace() is inner
            yield 2

    with recording.trace("outer") as outer:
        for _ in stream():
            assert whyops.current_trace() is outer


@pytest.mark.parametrize("run", ["thread", "copied context", "to_thread", "pool"])
def test_the_parent_is_the_span_of_the_call(run):
    """A call that runs in another thread or context has the span as parent that was current where it was started."""
    recording = Recording()

    @tool
    def child():
        return None

    @tool
    async def parent():
        if run == "to_thread":
            await asyncio.to_thread(child)
        elif run == "copied context":
            contextvars.copy_context().run(child)
        elif run == "thread":
            thread = threading.Thread(target=whyops.bind_context(child))
            thread.start()
            thread.join()
        else:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(whyops.bind_context(lambda _: child()), range(1)))

    with recording.trace("t"):
        asyncio.run(parent())
    first, second = recording.of_type("tool_call_request")
    assert second["metadata"]["parentSpanId"] == first["spanId"]


def test_the_proxys_argument_names_the_trace_and_is_not_passed_on():
    """`_whyops_trace_id` never reaches the function and is never recorded; inside a block the block's trace stands."""
    recording = Recording()

    @tool
    def find(query):
        return query

    with recording.trace("t"):
        assert find("a", _whyops_trace_id="other") == "a"
    assert {event["traceId"] for event in recording.events} == {"t"}
    assert b"whyops_trace_id" not in b"".join(recording.lines)
    assert find("b", _whyops_trace_id="other") == "b"


def test_a_disabled_recorder_costs_nothing_and_keeps_behaviour():
    """Where nothing is recorded the function still runs, and the proxy's argument is still taken out."""
    recording = Recording(enabled=False)
    with recording.trace("t"):
        assert at_module_level("x", limit=1, _whyops_trace_id="t") == ["x"]
        assert at_module_level("x", limit=2) == ["x", "x"]
    assert not recording.lines


def test_a_fault_in_recording_does_not_reach_the_agent(monkeypatch, caplog):
    """If recording itself fails, the function runs once, its result comes back, and the fault is said."""
    monkeypatch.setattr("whyops._runtime.guard.reraise", False)
    calls = []

    def refuse(_line):
        raise OSError("no room")

    @tool
    def count(n):
        calls.append(n)
        return n

    with Recording(record=refuse).trace("t"):
        assert count(1) == 1
    assert calls == [1]
    assert "no room" in caplog.text


def test_a_decorated_function_keeps_its_attributes():
    """Attributes set on the function are there on what the decorator returns."""

    @tool
    @functools.wraps(at_module_level)
    def wrapped(query):
        return query

    assert wrapped.__wrapped__.__wrapped__ is not None

    def plain():
        return None

    plain.marker = "here"
    assert tool(plain).marker == "here"


class Retry(Exception):
    """Stands for pydantic-ai's `ModelRetry`."""


def test_an_expected_exception_is_a_result():
    """It passes untouched, and is no error: neither of the call, nor of calls around it, nor of the trace; its text is the result."""

    @tool(expected=Retry)
    def search(query):
        raise Retry(f"no order {query}, ask for another")

    @tool(expected=(KeyError, Retry))
    async def search_later(query):
        raise Retry(query)

    @tool(expected=Retry)
    def stream(query):
        yield query
        raise Retry(query)

    recording = Recording()
    for run in (lambda: search("a"), lambda: asyncio.run(search_later("b")), lambda: list(stream("c"))):
        with pytest.raises(Retry), recording.trace("t"):
            run()
    assert [event["content"]["toolResults"] for event in recording.of_type("tool_call_response")] == [
        {"raised": "Retry: no order a, ask for another"},
        {"raised": "Retry: b"},
        {"raised": "Retry: c"},
    ]
    assert not recording.of_type("error")


def test_an_exception_that_is_not_expected_is_an_error():
    """Only the classes that are named are expected, with those derived from them."""

    @tool(expected=KeyError)
    def fail(error):
        raise error

    recording = Recording()
    with recording.trace("t"):
        for error in (ValueError("x"), KeyError("y")):
            with pytest.raises(type(error)):
                fail(error)
    assert [event["content"]["type"] for event in recording.of_type("error")] == ["ValueError"]
    with pytest.raises(TypeError, match="classes of exceptions"):
        tool(expected=[KeyError])


def by_value():
    """Give decorated functions of each kind that are sent by value, as those of a script, a notebook and a closure are."""
    factor = 3

    @tool
    def plain(x: int, *, plus: int = 1) -> int:
        return x * factor + plus

    @tool(name="later")
    async def coroutine(x):
        return x

    @tool
    def generator(x):
        yield x

    @tool
    async def async_generator(x):
        yield x

    @tool
    def recursive(x):
        return x if not x else recursive(x - 1)

    return [plain, coroutine, generator, async_generator, recursive, tool(functools.partial(plain, 1))]


WORKER = """
import asyncio, pickle, sys
from whyops.testing import capture
async def last(steps):
    async for item in steps:
        return item
function = pickle.loads(sys.stdin.buffer.read())
with capture() as captured:
    result = function() if "partial" in str(type(function)) else function(1)
    if hasattr(result, "__anext__"):
        result = asyncio.run(last(result))
    elif hasattr(result, "__next__"):
        result = next(result)
    elif hasattr(result, "__await__"):
        result = asyncio.run(result)
    print(result, *captured.tool_names())
"""


@pytest.mark.parametrize(
    "index, said",
    [(0, "4 plain"), (1, "1 later"), (2, "1 generator"), (3, "1 async_generator"), (4, "0 recursive recursive"), (5, "4 plain plain")],
)
def test_a_function_that_is_sent_by_value_takes_only_itself_along(index, said):
    """A pool that pickles by value sends what the function needs, and the calls over there are recorded."""
    sent = cloudpickle.dumps(by_value()[index])
    assert len(sent) < 10_000
    done = subprocess.run([sys.executable, "-c", WORKER], input=sent, capture_output=True, check=False)
    assert done.stdout.decode().strip() == said, done.stderr.decode()


SCRIPT = """
import cloudpickle, sys, threading
import whyops

LOCK = threading.RLock()
UNRELATED = "x" * 1_000_000

@whyops.tool
def halve(x):
    return x if x < 2 else halve(x // 2)

class Shop:
    @whyops.tool
    def price(self, x):
        return halve(x + 1)

sys.stdout.buffer.write(cloudpickle.dumps(Shop().price if "method" in sys.argv else halve))
"""


@pytest.mark.parametrize("what, said", [("function", "1 halve"), ("method", "1 price halve halve")])
def test_what_a_script_defines_is_sent_without_the_scripts_globals(what, said):
    """What stands in `__main__` is sent by value: with what it uses, itself too, and without locks and data that it does not use."""
    dumped = subprocess.run([sys.executable, "-c", SCRIPT, what], capture_output=True, check=True)
    assert len(dumped.stdout) < 10_000
    done = subprocess.run([sys.executable, "-c", WORKER], input=dumped.stdout, capture_output=True, check=False)
    assert done.stdout.decode().strip() == said, done.stderr.decode()
