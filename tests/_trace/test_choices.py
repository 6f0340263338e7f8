"""The calls of the tools that models chose: whose they are, and what became of them."""

from __future__ import annotations

from typing import Any

from tests._trace.chosen import answers, asks, prompt, runs, shape, tells, trace_of
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace
from whyops._trace.steps import LLMResponse, ToolCall


def model(trace: RecordedTrace) -> LLMResponse:
    return next(step for step in trace.walk() if isinstance(step, LLMResponse))


def told(trace: RecordedTrace) -> list[tuple[str, object]]:
    return [(choice.call.name, choice.told.value) for choice in model(trace).only_told if choice.told is not None]


def test_an_id_says_whose_a_call_is() -> None:
    """Also where its name is another, and where a model has answered in between; every further call of it is another try, or goes on."""
    trace = trace_of(
        asks("a?"),
        answers(None, "1", [("c1", "f", {}), ("c2", "g", {})]),
        answers("meanwhile", "2"),
        *runs("other", {}, {"error": "E: no"}, "c1"),
        *runs("other", {}, "done", "c1"),
        *runs("g", {}, {"interrupted": "GraphInterrupt"}, "c2", interrupted="GraphInterrupt"),
        *runs("g", {}, "yes", "c2"),
        *runs("other", {}, "of nobody", "c9"),
    )
    assert shape(trace) == [
        (0, "user", "a?"), (0, "model", "None"), (1, "tool", "other"), (1, "tool", "other"), (1, "tool", "g"), (1, "tool", "g"),
        (0, "model", "meanwhile"), (0, "tool", "other"),
    ]  # fmt: skip
    assert [call.context.attempt for call in trace.calls] == [(1, 2), (2, 2), None, None, None]
    assert [call.context.is_resumed for call in trace.calls] == [False, False, False, True, False]
    assert gaps(trace) == []


def test_after_somebody_has_spoken_a_call_stays_in_its_place() -> None:
    """What a human answered stands between: the call that goes on says so, and none is missing."""
    trace = trace_of(
        asks("a?"),
        answers(None, "1", [("c1", "f", {})]),
        *runs("f", {}, {"interrupted": "WaitingForEvent"}, interrupted="WaitingForEvent"),
        asks("yes"),
        *runs("f", {}, "done"),
    )
    assert [(depth, kind) for depth, kind, _ in shape(trace)] == [(0, "user"), (0, "model"), (1, "tool"), (0, "user"), (0, "tool")]
    assert trace.calls[1].context.is_resumed
    assert gaps(trace) == []


def test_what_a_model_is_told_of_a_call_that_was_not_recorded() -> None:
    """It is known what became of the call: it was rejected, limited, of no tool, or ran where nothing is recorded."""
    chosen = [("c1", "f", {"a": 1}), ("c2", "g", {}), ("c3", "h", {})]
    trace = trace_of(
        asks("a?", "1"),
        answers(None, "1", chosen),
        prompt([tells("Too expensive.", "c1"), tells("limit", "c2")], "2", [0, 1]),
        answers("a!", "2"),
        prompt([tells("told again", "c1")], "3", [0]),
    )
    assert told(trace) == [("f", "Too expensive."), ("g", "limit")]
    assert [tool.name for tool in model(trace).not_called] == ["h"]
    assert gaps(trace) == ["1 tool call was requested but not recorded"]


def in_node(node: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """Put events into a node of a graph that is recorded as a span of its own."""
    span = f"node-{node}"
    inside = [{**event, "metadata": {"parentSpanId": span, **event["metadata"]}} for event in events]
    about = {"metadata": {"tool": node}, "spanId": span}
    return [
        {"eventType": "tool_call_request", "content": {}, **about},
        *inside,
        {"eventType": "tool_call_response", "content": {}, **about},
    ]


def test_a_call_in_another_node_than_its_choice() -> None:
    """With each node a span of its own, what became of a call is as plain: its tries, who changed it, and what the model was told."""
    note = "Note: a human reviewer replaced this tool call before it ran."
    refused = {
        "eventType": "tool_result",
        "content": {"name": "pay", "toolName": "pay", "output": "No."},
        "metadata": {"tool": "pay", "tool_call_id": "c2"},
    }
    trace = trace_of(
        *in_node("model", asks("a?", "1"), answers(None, "1", [("c1", "book", {"at": "Ritz"}), ("c2", "pay", {"cents": 9})])),
        refused,
        *in_node("tools", *runs("book", {"at": "Hostel"}, {"error": "E: full"}), *runs("book", {"at": "Hostel"}, "booked")),
        *in_node("again", prompt([tells(note)], "2", [0]), answers("a!", "2")),
    )
    pay, first, second = (call for call in trace.calls if call.name in ("pay", "book"))
    assert (pay.is_only_told, pay.arguments, pay.result) == (True, {"cents": 9}, "No.")
    assert (first.context.attempt, second.context.attempt) == ((1, 2), (2, 2))
    assert second.changed_from is not None
    assert second.changed_from.arguments == {"at": "Ritz"}
    assert second.told_instead is not None
    assert second.told_instead.value == note
    assert [choice.has_run for choice in model(trace).context.choices] == [True, False]
    assert gaps(trace) == []


def test_an_id_that_models_give_again() -> None:
    """Of calls in other nodes each counts for one choice, and none is said to be another's."""
    trace = trace_of(
        *in_node("a", answers(None, "1", [("c1", "f", {"n": 1})])),
        *in_node("b", *runs("f", {"n": 1}, "one")),
        *in_node("c", answers(None, "2", [("c1", "f", {"n": 2})])),
        *in_node("d", *runs("f", {"n": 2}, "two")),
    )
    assert [call.changed_from for call in trace.calls if call.name == "f"] == [None, None]
    assert gaps(trace) == []


def call_of(chosen: Any, ran: Any, result: Any, said: str | None = None, name: str = "f", **metadata: Any) -> ToolCall:
    """Return a call that was chosen with some arguments, ran with others, gave a result, of which a model was told something."""
    later = [] if said is None else [prompt([tells(said)], "2", [0])]
    (call,) = trace_of(
        asks("a?", "1"), answers(None, "1", [("c1", "f", chosen)], **metadata), *runs(name, ran, result), *later, answers("a!", "2")
    ).calls
    return call


def test_a_call_that_was_changed_on_its_way() -> None:
    """Says what the model had chosen."""
    changed = call_of({"city": "Lübeck"}, {"city": "Kiel"}, "sun").changed_from
    assert changed is not None
    assert (changed.name, changed.arguments) == ("f", {"city": "Lübeck"})
    assert call_of({}, {}, "sun", name="g").changed_from is not None
    assert call_of({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "").changed_from is not None
    assert call_of({"a": [1]}, {"a": [1, 2]}, "").changed_from is not None


def test_a_call_that_was_not_changed() -> None:
    """Defaults, other forms of the same value, and values that are not known are no change."""
    for chosen, ran in (
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": "1"}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": None}}),
        ({"a": {"b": 1}}, {"a": "an object"}),
        ({"a": 1}, {"input": "text"}),
        ({"a": 1}, {"a": "[not captured: private]"}),
        ("no JSON", {"a": 1}),
    ):
        assert call_of(chosen, ran, "sun").changed_from is None
    assert call_of({"a": "x" * 9}, {"a": "x"}, "sun", truncated=1).changed_from is None


def test_a_model_that_is_told_something_else_than_a_call_gave() -> None:
    """A result that was put in its place, or repaired."""
    replaced = call_of({}, {}, "secret", "nothing to see").told_instead
    assert replaced is not None
    assert replaced.value == "nothing to see"
    assert call_of({}, {}, {"error": "ValueError: no"}, "all is well").told_instead is not None


def test_a_model_that_is_told_what_a_call_gave() -> None:
    """As text, as JSON, as a Python value, or of a failure its message."""
    for result, said in (
        ("sun", "sun"),
        ({"a": [1]}, '{"a": [1]}'),
        ({"a": [1]}, "{'a': [1]}"),
        ({"result": "sun", "artifact": 7}, "sun"),
        ({"error": "ValueError: no way"}, "Error: ValueError('no way')"),
        (3, "3"),
        ("sun", "[not captured: private]"),
    ):
        assert call_of({}, {}, result, said).told_instead is None
    assert call_of({}, {}, "sun").told_instead is None
