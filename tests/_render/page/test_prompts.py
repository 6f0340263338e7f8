"""The prompts of model calls, as the page gets them."""

from __future__ import annotations

from typing import Any

from tests._render.recordings import Run
from whyops._render.page.data import report_data
from whyops._trace.recorded import RecordedTrace


def trace_of(run: Run) -> Any:
    (trace,) = report_data([RecordedTrace.from_events(run.events)], None)["traces"]  # type: ignore[misc, attr-defined]
    return trace


def seen(trace: Any) -> list[tuple[list[object], list[int]]]:
    """Return of each prompt the contents of its messages, and which of them are new."""
    found = []
    for step in trace["steps"]:
        if "prompt" in step:
            places, new = (
                [first + by for first, length in zip(runs[::2], runs[1::2], strict=True) for by in range(length)]
                for runs in (step["prompt"]["messages"], step["prompt"].get("new", []))
            )
            assert step["prompt"]["count"] == len(places)
            found.append(([trace["messages"][place].get("content") for place in places], new))
    return found


def test_each_message_is_there_once() -> None:
    """A prompt that repeats the one before it names its messages, and says which are new."""
    run = Run()
    parts = [{"type": "text", "text": "look"}]
    messages = [{"role": "system", "content": "Help."}, {"role": "user", "content": parts}]
    for number in range(20):
        run.add("user_message", list(messages))
        run.model(f"answer {number}")
        messages += [{"role": "assistant", "content": f"answer {number}"}, {"role": "user", "content": f"question {number}"}]
    trace = trace_of(run)
    assert len(trace["messages"]) == len(messages) - 2
    told = seen(trace)
    assert told[0] == (["Help.", parts], [0, 1])
    assert told[1] == (["Help.", parts, "answer 0", "question 0"], [2, 3])
    assert len(told[19][0]) == 40
    assert all(step["prompt"]["messages"] == [0, step["prompt"]["count"]] for step in trace["steps"] if "prompt" in step)


def test_calls_results_tools_and_gaps() -> None:
    """What a model had asked for, what tools gave, what it was offered, and what is not recorded, are in the prompt."""
    run = Run()
    run.add(
        "user_message", [{"role": "user", "content": "Go."}], {"callId": "1", "promptIds": [0], "tools": [{"name": "f"}, {"name": "g"}]}
    )
    run.model(None, [("f", {"id": 2**70})], callId="1")
    asked = run.events[-1]["idempotencyKey"]
    run.model("Done.", callId="2", promptIds=[asked, "elsewhere"], toolsFrom=run.events[0]["idempotencyKey"])
    trace = trace_of(run)
    first, second = (step["prompt"] for step in trace["steps"] if "prompt" in step)
    assert (first["tools"], second["tools"]) == (["f", "g"], ["f", "g"])
    called, missing = (trace["messages"][place] for place in (1, 2))
    assert (called["role"], called["calls"][0]["name"]) == ("assistant", "f")
    assert called["calls"][0]["arguments"] == {"id": "\ue0001180591620717411303424\ue001"}
    assert missing["missing"] is True


def test_a_call_that_failed_has_its_prompt() -> None:
    """The error of a model's call shows what it was asked with."""
    run = Run()
    run.add("user_message", [{"role": "user", "content": "Go."}], {"callId": "1", "promptIds": [0]})
    run.add("error", {"message": "too many requests", "status": 429}, {"callId": "1"})
    assert seen(trace_of(run)) == [(["Go."], [0])]


def test_two_contents_are_not_taken_for_one() -> None:
    """Messages that differ in their parts, or in what they call, are two."""
    run = Run()
    run.add("user_message", [{"role": "user", "content": [{"text": "a"}]}, {"role": "user", "content": [{"text": "b"}]}])
    run.model("x")
    call = {"function": {"name": "f", "arguments": "{}"}}
    other = {"function": {"name": "f", "arguments": '{"a": 1}'}}
    run.add("user_message", [{"role": "assistant", "content": None, "tool_calls": [one]} for one in (call, other)])
    run.model("y")
    assert [new for _, new in seen(trace_of(run))] == [[0, 1], [0, 1]]
