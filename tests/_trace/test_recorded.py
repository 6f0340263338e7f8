"""A trace as objects, made from whatever events there are."""

from __future__ import annotations

import itertools
import random

import pytest

from tests._render.recordings import DEAD, Run, conversation
from whyops._render.terminal.tree import render_tree
from whyops._trace.recorded import RecordedTrace, Totals
from whyops._trace.steps import Embedding, ErrorStep, LLMResponse, OtherEvent, Step, Thinking, ToolCall, UserMessage
from whyops._wire.read import RecordedEvent
from whyops._wire.recorded_time import microseconds
from whyops._wire.used import Usage


def recorded(run: Run) -> RecordedTrace:
    return RecordedTrace.from_events(run.events)


def outline(steps: tuple[Step, ...]) -> list[object]:
    names = [step.name if isinstance(step, ToolCall) else type(step).__name__ for step in steps]
    return [[name, *outline(step.children)] if step.children else name for name, step in zip(names, steps, strict=True)]


def test_the_decision_path() -> None:
    """Each speaks in turn; chosen tools are under the answer that chose them, inner calls under the outer."""
    trace = RecordedTrace.from_events(conversation())
    assert outline(trace.steps) == [
        "UserMessage",
        "Thinking",
        ["LLMResponse", ["search_orders", "query_database", "track_parcel"], "refund_order"],
        "LLMResponse",
        "UserMessage",
        "Embedding",
        "LLMResponse",
        "close_ticket",
    ]
    assert [call.name for call in trace.calls] == ["search_orders", "query_database", "track_parcel", "refund_order", "close_ticket"]


def test_totals_and_names() -> None:
    """The sums, names and times of a trace."""
    trace = RecordedTrace.from_events(conversation())
    usage = Usage(prompt=230, completion=66, cache_read=1024, unsplit=3)
    assert trace.totals == Totals(events=18, calls=5, errors=1, open_calls=1, usage=usage, truncated=2, redacted=1)
    assert (trace.trace_id, trace.agent_name, trace.external_user_id) == ("session-123", "support", "user_12345")
    assert trace.duration_ms == pytest.approx(33_040.97)


def test_a_trace_and_its_steps_are_one_line() -> None:
    """In a REPL they say what they are, without all that they hold."""
    trace = RecordedTrace.from_events(conversation())
    assert repr(trace) == "<RecordedTrace 'session-123': 18 events, 5 tool calls, 1 error>"
    assert [repr(step) for step in trace.steps[:3]] == [
        "<UserMessage: 1 event>",
        "<Thinking: 1 event>",
        "<LLMResponse openai/gpt-4o-mini: 1 event>",
    ]


def test_a_late_request_does_not_part_a_result_or_an_error_from_its_call() -> None:
    """What comes before its request by time is of the same call, and an error is with that call of its span that failed."""
    run = Run()
    run.add("tool_result", {"toolName": "f", "output": 1}, span="s1")
    run.request("f", {}, "s1")
    run.tool("g", {}, 1, "s2")
    run.add("error", {"message": "no"}, span="s2")
    run.tool("g", {}, {"error": "no"}, "s2")
    trace = recorded(run)
    assert [(call.name, call.result, call.error) for call in trace.calls] == [("f", 1, None), ("g", 1, None), ("g", None, "no")]


def test_a_call_is_put_together() -> None:
    """A call knows its arguments, result, latency, error, stack and process."""
    calls = {call.name: call for call in RecordedTrace.from_events(conversation()).calls}
    found, failed, left_open = calls["track_parcel"], calls["refund_order"], calls["close_ticket"]
    assert (found.arguments, found.result, found.latency_ms, found.error) == ({"number": "JD0146"}, {"carrier": "DHL"}, 812.4, None)
    assert (failed.error, failed.result, failed.is_finished) == ("shop.PaymentError: paid by voucher", None, True)
    assert (failed.stack or "").endswith("paid by voucher")
    assert (left_open.is_finished, left_open.result, left_open.process, left_open.error) == (False, None, DEAD, None)
    assert calls["query_database"].result == [{"id": "123", "status": "shipped"}, {"id": "119", "status": "delivered"}]


def test_order_of_arrival_does_not_matter() -> None:
    """Batches of several processes may come in any order: time sorts them."""
    events = conversation()
    shuffled = random.Random(4).sample(events, len(events))
    assert RecordedTrace.from_events(shuffled) == RecordedTrace.from_events(events)


def test_an_event_without_a_time_stays_in_its_place() -> None:
    """Where no time is told, the order of arrival is kept."""
    run = Run()
    for text in ("a", "b", "c"):
        run.user(text)
    del run.events[1]["timestamp"]
    run.events[2]["timestamp"] = "2020-01-01T00:00Z"
    assert [event.content[0]["content"] for event in recorded(run).events] == ["c", "a", "b"]  # type: ignore[index]


def test_two_calls_may_share_a_span() -> None:
    """The n-th response of a span goes with its n-th request."""
    run = Run()
    run.tool("f", {"n": 1}, "one", "s")
    run.tool("f", {"n": 2}, "two", "s")
    assert [(call.arguments, call.result) for call in recorded(run).calls] == [({"n": 1}, "one"), ({"n": 2}, "two")]


def test_a_response_may_come_alone_or_first() -> None:
    """A response whose request is missing, or is told to be later, is a call all the same."""
    run = Run()
    run.response("alone", 1, "s1")
    run.response("early", 2, "s2")
    run.request("early", {"x": 1}, "s2")
    first, second = recorded(run).calls
    assert (first.name, first.arguments, first.result) == ("alone", None, 1)
    assert (second.name, second.arguments, second.result, second.is_finished) == ("early", {"x": 1}, 2, True)


def test_tool_results() -> None:
    """A tool's result without a request is a call of its own; with a request's span it is that call's."""
    run = Run()
    run.add("tool_result", {"toolName": "lone", "output": "x"})
    run.request("asked", {}, "s1")
    run.add("tool_result", {"toolName": "asked", "output": {"y": 1}}, span="s1")
    assert [(call.name, call.result, call.is_finished) for call in recorded(run).calls] == [("lone", "x", True), ("asked", {"y": 1}, True)]


def test_an_error_told_by_the_response_alone() -> None:
    """`toolResults.error` marks a failure, whatever it is."""
    run = Run()
    run.tool("f", {}, {"error": "broken"}, "s1")
    run.tool("f", {}, {"error": {"code": 3}}, "s2")
    run.tool("f", {}, {"error": None, "rows": 1}, "s3")
    assert [call.error for call in recorded(run).calls] == ["broken", "{'code': 3}", None]
    assert recorded(run).totals.errors == 2


def test_an_error_without_a_call_is_a_step() -> None:
    """An error outside calls stands in the path, with what is known of it."""
    run = Run()
    run.add("error", {"message": "no quota", "type": "RateLimited", "status": 429, "stack": "…"}, span="unknown")
    run.add("error", "just text")
    first, second = recorded(run).steps
    assert isinstance(first, ErrorStep)
    assert isinstance(second, ErrorStep)
    assert (first.message, first.status, first.stack) == ("RateLimited: no quota", 429, "…")
    assert (second.message, second.status, second.stack) == ("just text", None, None)


def test_what_happens_within_a_call_is_below_it() -> None:
    """Any event may have a call as its parent: a sub-agent's whole conversation is below the tool that started it."""
    run = Run()
    run.request("delegate", {}, "s1")
    run.add("llm_thinking", {"thinking": "hm"}, {"parentSpanId": "s1"})
    run.add("llm_response", {"content": "x", "toolCalls": [{"name": "inner", "args": {}}]}, {"model": "m", "parentSpanId": "s1"})
    run.tool("inner", {}, 1, "s2", parent="s1")
    run.response("delegate", 1, "s1")
    assert outline(recorded(run).steps) == [["delegate", "Thinking", ["LLMResponse", "inner"]]]


def test_circles_and_unknown_parents() -> None:
    """Spans that are their own parents, or whose parents are missing, stand where they can be seen."""
    run = Run()
    run.request("itself", {}, "a", parentSpanId="a")
    run.request("b", {}, "b", parentSpanId="c")
    run.request("c", {}, "c", parentSpanId="d")
    run.request("d", {}, "d", parentSpanId="b")
    run.request("orphan", {}, "e", parentSpanId="nowhere")
    run.request("below", {}, "f", parentSpanId="d")
    trace = recorded(run)
    assert sorted(call.name for call in trace.calls) == ["b", "below", "c", "d", "itself", "orphan"]


def test_ever_deeper_nesting_ends_somewhere() -> None:
    """Thousands of levels are brought to a depth that can be walked and shown."""
    run = Run()
    for depth in range(3000):
        run.request("f", {"n": depth}, f"s{depth}", **({"parentSpanId": f"s{depth - 1}"} if depth else {}))
    trace = recorded(run)
    assert len(trace.calls) == 3000
    assert render_tree(trace, width=80, color=False).count("f(n=") == 3000


def test_a_user_speaking_ends_the_models_turn() -> None:
    """A tool that is called after the user spoke again was not chosen by the answer before."""
    run = Run()
    run.model(None, [("f", {})])
    run.user("wait")
    run.tool("f", {}, 1, "s1")
    assert outline(recorded(run).steps) == ["LLMResponse", "UserMessage", "f"]


def test_messages() -> None:
    """A prompt is read in each form that clients send; the user's last message is what was asked."""
    forms: list[object] = [
        [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        {"messages": [{"role": "user", "content": "q"}]},
        "q",
        {"role": "user", "content": "q"},
        ["q"],
    ]
    for content in forms:
        step = UserMessage((RecordedEvent({"content": content}),))
        assert step.asked.content == "q"
    assert UserMessage((RecordedEvent({}),)).asked.content == ""
    assert UserMessage((RecordedEvent({"content": [{"role": "system", "content": "s"}]}),)).asked.role == "system"


def test_step_properties_of_the_rest() -> None:
    """Thinking, answers and embeddings tell what was recorded of them."""
    steps = list(RecordedTrace.from_events(conversation()).walk())
    thinking = next(step for step in steps if isinstance(step, Thinking))
    answer = next(step for step in steps if isinstance(step, LLMResponse))
    embedding = next(step for step in steps if isinstance(step, Embedding))
    assert str(thinking.text).startswith("Two questions")
    assert (answer.model, answer.content, answer.latency_ms, answer.finish_reason) == ("openai/gpt-4o-mini", None, 390.0, None)
    assert [tool.arguments for tool in answer.requested] == [{"customer": "user_12345"}, {"order_id": "119"}, {"who": "shop"}]
    assert [tool.name for tool in answer.not_called] == ["notify"]
    assert (embedding.model, embedding.inputs, embedding.count, embedding.is_finished) == ("embed-3", ("Thanks!",), 1, True)
    assert embedding.started_at is not None


ODD: list[object] = [
    None,
    True,
    -1,
    2**70,
    1e308,
    float("nan"),
    "",
    "x",
    "\ud800",
    [],
    [None],
    [[]],
    {},
    {"a": {}},
    {"": None},
    [{"role": 1}],
]
FIELDS = ("traceId", "agentName", "externalUserId", "eventType", "timestamp", "idempotencyKey", "spanId", "content", "metadata")
INNER = ("toolCalls", "toolResults", "message", "type", "thinking", "content", "input", "embeddingCount", "output", "toolName", "status")
META = ("tool", "parentSpanId", "latencyMs", "durationMs", "usage", "truncated", "redacted", "model", "tools")


def test_nothing_that_a_client_writes_raises() -> None:
    """Whatever JSON value stands wherever, the trace is made, walked and shown."""
    for field, odd in itertools.product(FIELDS, ODD):
        use([{**event, field: odd} for event in conversation()])
    for name, odd in itertools.product(INNER, ODD):
        use([{**event, "content": {**(dict(c) if isinstance(c := event["content"], dict) else {}), name: odd}} for event in conversation()])
    for name, odd in itertools.product(META, ODD):
        use([{**event, "metadata": {**event["metadata"], name: odd}} for event in conversation()])  # type: ignore[dict-item]
    use([{} for _ in range(3)])


def use(events: list[dict[str, object]]) -> None:
    trace = RecordedTrace.from_events(events)
    assert trace.totals.events == len(events)
    assert sum(len(step.events) for step in trace.walk()) == len(events)
    for full in (False, True):
        assert render_tree(trace, width=60, color=True, full=full, is_alive=lambda _: False)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.1234567Z", 123_456),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-02-30T00:00:00Z", None),
        ("2026-02-03T00:00:00", None),
        (3, None),
    ],
)
def test_times(text: object, expected: int | None) -> None:
    """A time is read to the microsecond; what is none is none."""
    assert microseconds(text) == expected


def test_marks_of_what_is_missing() -> None:
    """A mark may tell how many, which ones, or only that."""
    marks = [True, 2, ["content.a", "content.b"], {"a": 1}, None, "yes"]
    assert [RecordedEvent({"metadata": {"truncated": mark}}).truncated for mark in marks] == [1, 2, 2, 1, 0, 0]


def test_unknown_events_are_steps() -> None:
    """An event of a later version is a step of its own."""
    run = Run()
    run.add("agent_handover", {})
    assert isinstance(recorded(run).steps[0], OtherEvent)


def told(run: Run, *calls: tuple[str, object]) -> None:
    """Record, as the proxy does, a prompt that tells a model what its tools gave."""
    asked = [{"id": str(index), "function": {"name": name, "arguments": "{}"}} for index, (name, _) in enumerate(calls)]
    results = [{"role": "tool", "tool_call_id": str(index), "content": result} for index, (_, result) in enumerate(calls)]
    run.add("tool_result", [{"role": "assistant", "tool_calls": asked}, *results], span=f"told-{len(run.events)}")


def test_results_that_are_told_are_those_of_the_recorded_calls() -> None:
    """A call that was recorded is there once; of several told together, those that nobody recorded are shown with the others."""
    run = Run()
    run.model(chosen=[("f", {}), ("g", {})])
    run.tool("f", {}, 1, "s1")
    run.tool("g", {}, 2, "s2")
    told(run, ("f", "1"), ("g", "2"))
    run.model(chosen=[("f", {}), ("h", {})])
    run.tool("f", {}, 3, "s3")
    told(run, ("f", "3"), ("h", "4"))
    run.model("Done.")
    told(run, ("x", "5"))
    trace = recorded(run)
    assert outline(trace.steps) == [["LLMResponse", "f", "g"], ["LLMResponse", "f", "f"], "LLMResponse", "x"]
    assert [(call.names, call.result, len(call.events)) for call in trace.calls] == [
        (("f",), 1, 2),
        (("g",), 2, 3),
        (("f",), 3, 2),
        (("f", "h"), ["3", "4"], 1),
        (("x",), "5", 1),
    ]
    assert all(step.not_called == () for step in trace.steps if isinstance(step, LLMResponse))


def test_a_proxied_embedding_is_one() -> None:
    """Its two events have different spans: an answer goes with the latest open request that has as many texts, else the latest open one."""
    run = Run()
    for size in (1, 2, 1):
        run.add("embedding_request", {"input": ["x"] * size}, span=f"q{size}")
    for count in (2, 7, 1, 1):
        run.add("embedding_response", {"embeddingCount": count}, {"model": "m"}, span=f"r{count}")
    for event in run.events:
        del event["idempotencyKey"]
    steps = [step for step in recorded(run).steps if isinstance(step, Embedding)]
    assert [(len(step.inputs), step.count) for step in steps] == [(1, 1), (2, 2), (1, 7), (0, 1)]


def test_an_embedding_of_our_own_needs_its_span() -> None:
    """A response that names another span than any request is another embedding's."""
    run = Run()
    run.add("embedding_request", {"input": ["x"]}, span="q")
    run.add("embedding_response", {"embeddingCount": 1}, {"model": "m"}, span="r")
    assert len(recorded(run).steps) == 2


def test_duration() -> None:
    """From where the block was opened, or the first step began, to the last event, whatever tells of it."""
    run = Run()
    run.model("Hello", ms=1000)
    assert recorded(run).duration_ms == 1000
    run.tool("f", {}, 1, "s1", ms=20)
    assert recorded(run).duration_ms == pytest.approx(1021)
    run.events[0]["metadata"] |= {"startedAt": "2026-11-23T18:14:04.123456Z"}  # type: ignore[operator]
    assert recorded(run).duration_ms == pytest.approx(2021)
    absurd = Run()
    absurd.model("Hello", ms=5)
    absurd.events[0]["metadata"] |= {"latencyMs": 2**50, "startedAt": "yesterday"}  # type: ignore[operator]
    assert recorded(absurd).duration_ms == 0
