"""Prompts as text."""

from __future__ import annotations

from tests._render.recordings import Run
from whyops._render.prompt_text import call_lines, prompt_lines
from whyops._trace.recorded import RecordedTrace


def recorded() -> RecordedTrace:
    """Give a run of two calls of models: one whose prompt has all there is, and one that failed, of whose prompt a message is missing."""
    run = Run()
    asked = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": '{"q": "x"}'}}]}
    run.add(
        "user_message",
        [{"role": "system", "content": "Be brief.\n\x1b[2JAlways."}, asked, {"role": "tool", "tool_call_id": "c1", "content": "y" * 100}],
        {"callId": "one", "tools": ["search", "refund"], "langgraph_node": "plan"},
    )
    run.model("Done.\nReally.", [("refund", {})], callId="one", usage={"promptTokens": 7, "completionTokens": 2})
    run.add("user_message", [{"role": "user", "content": "again"}], {"callId": "two", "promptIds": ["gone/0", 0]})
    run.add("error", {"message": "too many requests"}, {"callId": "two"})
    return RecordedTrace.from_events(run.events)


def test_the_calls_a_line_each() -> None:
    """Number, model, who asked, how much was asked, tokens, and what came of it."""
    first, second = call_lines(recorded())
    assert first.startswith("1. openai/gpt-4o-mini in plan: prompt of 3 messages")
    assert first.endswith(" → Done. Really.; requests refund")
    assert second == "2. unknown: prompt of 2 messages (1 not recorded here) → FAILED: too many requests"


def test_a_prompt_message_by_message() -> None:
    """Each has its place, role and requests; lines stay lines, escapes are shown, and what is not recorded says so."""
    trace = recorded()
    head, system, assistant, tool = prompt_lines(trace.model_calls[0], 1, 30)
    assert head.startswith("Prompt of model call 1: openai/gpt-4o-mini, prompt of 3 messages")
    assert system == "1. system: Be brief.\n   \\x1b[2JAlways."
    assert assistant == '2. assistant: requests search(q="x")'
    assert tool == f"3. tool for c1: {'y' * 30}…[+70]"
    assert prompt_lines(trace.model_calls[0], 1)[3].endswith("y" * 100)
    assert prompt_lines(trace.model_calls[1], 2)[1:] == ["1. (not recorded here)", "2. user: again"]
