"""Questions that were asked at the same time stand with their answers; all else stays in order of time."""

from __future__ import annotations

import pytest

from tests._trace.chosen import answers, asks, fails, prompt, runs, shape, tells, trace_of


def test_each_answer_stands_with_its_question() -> None:
    """Whatever order the answers come in; each question says which of them it is."""
    trace = trace_of(
        asks("a?", "1"),
        asks("b?", "2"),
        asks("c?", "3"),
        answers("c!", "3"),
        fails("1"),
        answers("b!", "2"),
        asks("d?", "4"),
        answers("d!", "4"),
    )
    assert [what for _, _, what in shape(trace)] == ["a?", "ConnectionError: down", "b?", "b!", "c?", "c!", "d?", "d!"]
    ranks = [step.context.parallel for step in trace.steps if step.kind == "user"]
    assert ranks == [(1, 3), (2, 3), (3, 3), None]


def test_what_follows_from_a_question_stands_with_it() -> None:
    """The tools that its model chose, by their ids, and the answers whose prompts go on with what was said there."""
    trace = trace_of(
        asks("a?", "1", idempotencyKey="a"),
        asks("b?", "2", idempotencyKey="b"),
        answers(None, "2", [("cb", "f", {"of": "b"})]),
        answers(None, "1", [("ca", "f", {"of": "a"})]),
        *runs("f", {"of": "b"}, "for b", "cb"),
        *runs("f", {"of": "a"}, "for a", "ca"),
        answers("b!", "3", ids=["b:1", "k2", {"id": "k5", "name": "f"}]),
        prompt([tells("again", "ca")], "4", ["a/0", "k3", 0]),
        answers("a!", "4"),
        {"eventType": "handover", "content": "of nobody"},
    )
    assert shape(trace) == [
        (0, "user", "a?"),
        (0, "model", "None"),
        (1, "tool", "f"),
        (0, "model", "a!"),
        (0, "user", "b?"),
        (0, "model", "None"),
        (1, "tool", "f"),
        (0, "model", "b!"),
        (0, "other", "None"),
    ]
    assert [call.result for call in trace.calls] == ["for a", "for b"]


def test_pairs_are_made_inside_a_call_too() -> None:
    """Of an agent that is a tool."""
    inside = {"parentSpanId": "s"}
    events = [asks("a?", "1"), asks("b?", "2"), answers("b!", "2"), answers("a!", "1")]
    for event in events:
        event["metadata"] |= inside
    trace = trace_of({"eventType": "tool_call_request", "spanId": "s", "content": {"toolCalls": [{"name": "f"}]}}, *events)
    assert [what for _, _, what in shape(trace)] == ["f", "a?", "a!", "b?", "b!"]


@pytest.mark.parametrize("first", [asks("a?"), asks("a?", "1"), asks("a?", "gone")])
def test_one_after_the_other_stays_as_it_is(first: dict[str, object]) -> None:
    """Without ids nothing tells whose an answer is; and a question that nothing answers is open for ever."""
    trace = trace_of(first, answers("a!", "1"), asks("b?"), answers("b!", "2"), asks("c?", "3"), answers("c!", "3"))
    assert [what for _, _, what in shape(trace)] == ["a?", "a!", "b?", "b!", "c?", "c!"]
    assert all(step.context.parallel is None for step in trace.walk())
