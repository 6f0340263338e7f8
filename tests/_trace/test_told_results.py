"""Results that no tool gave: told to the model by an event of their own, or in a message of a later prompt."""

from __future__ import annotations

from typing import Any

from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace

CALL = {"id": "c1", "name": "find", "arguments": '{"order": "1"}'}


def trace_of(*events: dict[str, Any]) -> RecordedTrace:
    given = [
        {"traceId": "t", "idempotencyKey": f"k{n}", "timestamp": f"2026-01-01T00:00:0{n}.000Z", **event} for n, event in enumerate(events)
    ]
    return RecordedTrace.from_events(given, "t")


def answer(*calls: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    return {"eventType": "llm_response", "content": {"content": text, "toolCalls": list(calls)}, "metadata": {"model": "m"}}


def result(call_id: str, output: str) -> dict[str, Any]:
    content = {"name": "find", "toolName": "find", "output": output}
    return {"eventType": "tool_result", "content": content, "metadata": {"tool_call_id": call_id}}


def test_a_result_alone_has_the_arguments_that_the_model_chose() -> None:
    """Nothing else tells them: no tool has run."""
    trace = trace_of(answer(CALL), result("c1", "Not now."))
    (call,) = trace.calls
    assert (call.arguments, call.result) == ({"order": "1"}, "Not now.")
    assert gaps(trace) == []


def test_a_result_belongs_to_the_answer_that_asked_for_it() -> None:
    """Also where another model has answered since, as one that stands for a tool does."""
    trace = trace_of(answer(CALL), answer(text="It is here."), result("c1", "It is here."))
    asked, other = trace.steps
    assert [child.kind for child in asked.children] == ["tool"]
    assert other.children == ()
    assert gaps(trace) == []


def test_a_result_in_a_prompt_is_a_result() -> None:
    """A call whose result another process told the model is not missing; one that nobody tells of is."""
    told = {"role": "tool", "tool_call_id": "c1", "content": "shipped"}
    prompt = {"eventType": "user_message", "content": [told], "metadata": {"promptIds": [0], "fromUser": False}}
    trace = trace_of(answer(CALL, {**CALL, "id": "c2"}), prompt, answer(text="It has."))
    assert gaps(trace) == ["1 tool call was requested but not recorded"]
    assert gaps(trace_of(answer(CALL), prompt, answer(text="It has."))) == []
