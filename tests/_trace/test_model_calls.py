"""The calls of models, put together from events: with ids, without, and with what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests._recording.recording import Recording
from whyops._render.json import trace_data
from whyops._render.markdown import render_brief
from whyops._render.terminal.tree import render_tree
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace
from whyops._trace.steps import LLMResponse, Prompt
from whyops._wire.prompt import ModelToolCall, PromptMessage, PromptReader
from whyops._wire.read import RecordedEvent


def recorded(*events: dict[str, Any]) -> RecordedTrace:
    return RecordedTrace.from_events([{"traceId": "t", **event} for event in events])


def prompt(key: str, content: Any, ids: Any = None, **metadata: Any) -> dict[str, Any]:
    told = {} if ids is None else {"promptIds": ids}
    return {"eventType": "user_message", "idempotencyKey": key, "content": content, "metadata": {**told, **metadata}}


def answer(key: str, content: Any, **metadata: Any) -> dict[str, Any]:
    given = content if isinstance(content, dict) else {"content": content}
    return {"eventType": "llm_response", "idempotencyKey": key, "content": given, "metadata": {"model": "m", **metadata}}


USER = {"role": "user", "content": "Hello"}
TOLD = {"role": "tool", "content": "3", "tool_call_id": "c"}


def test_all_that_is_known_of_a_call() -> None:
    """From its prompt, its reasoning and its answer, which have one id."""
    calls = [{"id": "c", "function": {"name": "add", "arguments": '{"a": 1}'}}]
    metadata = {"callId": "1", "langgraph_node": "agent", "lc_agent_name": "clerk"}
    (call,) = recorded(
        prompt("p", [USER], [0], tools=[{"name": "add"}], params={"temperature": 0}, recordedAt="2026-01-01T00:00:00.5Z", **metadata),
        {"eventType": "llm_thinking", "content": {"thinking": "Hm."}, "metadata": metadata},
        answer(
            "a",
            {"toolCalls": calls, "finishReason": "tool_calls"},
            **metadata,
            latencyMs=20,
            usage={"promptTokens": 3},
            recordedAt="2026-01-01T00:00:01Z",
        ),
    ).model_calls
    assert call.prompt == (PromptMessage("user", "Hello"),)
    assert call.tool_calls == (ModelToolCall("c", "add", {"a": 1}),)
    assert (call.id, call.model, call.tools, call.params) == ("1", "m", ("add",), {"temperature": 0})
    assert (call.thinking, call.answer, call.finish_reason, call.usage.total) == (("Hm.",), None, "tool_calls", 3)
    assert (call.error, call.interrupted, call.agent, call.node, call.latency_ms) == (None, None, "clerk", "agent", 20)
    assert call.started_at == 1_767_225_600_500_000
    assert repr(call) == "<ModelCall m: prompt of 1, 1 tool calls>"


def test_without_an_event_for_its_prompt_a_call_began_before_its_answer() -> None:
    """By as long as it took."""
    answered = answer("a", "Hi.", callId="1", promptIds=[], latencyMs=1500, recordedAt="2026-01-01T00:00:02Z")
    (call,) = recorded(answered).model_calls
    assert (call.prompt, call.started_at) == ((), 1_767_225_600_500_000)


def test_ids_lead_to_messages_answers_and_results() -> None:
    """Wherever they were recorded; with the name that a message has got since, and the tools that were offered again."""
    response = {
        "eventType": "tool_call_response",
        "idempotencyKey": "r",
        "spanId": "s",
        "content": {"name": "add", "toolResults": {"result": "3"}},
        "metadata": {"tool": "add", "tool_call_id": "c"},
    }
    calls = recorded(
        prompt("p", [USER], [0], callId="1", tools=[{"name": "add"}]),
        answer("a", "Wait.", callId="1"),
        response,
        answer("b", "Done.", callId="2", promptIds=["p/0", {"id": "a", "name": "clerk"}, "r"], toolsFrom="p"),
    ).model_calls
    assert calls[1].prompt == (
        PromptMessage("user", "Hello"),
        PromptMessage("assistant", "Wait.", name="clerk"),
        PromptMessage("tool", "3", tool_call_id="c", name="add"),
    )
    assert calls[1].tools == ("add",)
    assert calls[1].missing == 0


@pytest.mark.parametrize("unknown", ["gone", "gone/0", "p/9", "p/x", 9, -1, None, {"id": "gone"}, {"name": "x"}, "e", True])
def test_what_an_id_does_not_lead_to_is_a_gap(unknown: Any) -> None:
    """It is told, in the call and in the views, and nothing is guessed in its place."""
    failed = {"eventType": "error", "idempotencyKey": "e", "content": {"message": "no"}}
    trace = recorded(failed, prompt("p", [USER], [0, unknown], callId="1"), answer("a", "Hi.", callId="1"))
    (call,) = trace.model_calls
    assert call.prompt is not None
    assert [message.is_missing for message in call.prompt] == [False, True]
    assert call.missing == 1
    assert "1 message of a prompt is not recorded here" in gaps(trace)


def test_a_prompt_may_begin_as_another() -> None:
    """Whose own messages these are, at any remove; what is not there is so many gaps, and circles end."""
    others = [{"role": "tool", "content": name} for name in "ab"]
    trace = recorded(
        prompt("p", [USER, others[0]], [0, 1], callId="1"),
        prompt("q", [others[1]], ["p:2", 0], callId="2"),
        answer("a", "Hi.", callId="3", promptIds=["q:3", "p/0"]),
        answer("b", "Hi.", callId="4", promptIds=["q:5", "gone:2", "p:99999999999"]),
        answer("c", "Hi.", callId="5", promptIds=["c:2"]),
    )
    told = [[message.content for message in call.prompt or ()] for call in trace.model_calls]
    assert told == [["Hello", "a"], ["Hello", "a", "b"], ["Hello", "a", "b", "Hello"], ["Hello", "a", "b", *[None] * 5], [None] * 2]
    assert [call.missing for call in trace.model_calls] == [0, 0, 0, 5, 2]


def test_without_ids_the_answer_that_follows_is_the_prompts() -> None:
    """As events were recorded before, and by the explicit methods; where two prompts wait, nothing tells whose the answer is."""
    calls = recorded(prompt("p", [USER]), answer("a", "Hi."), answer("b", "And?"), prompt("q", "Bye")).model_calls
    assert [(call.prompt, call.answer) for call in calls] == [((PromptMessage("user", "Hello"),), "Hi."), (None, "And?")]
    assert repr(calls[1]) == "<ModelCall m: prompt of unknown, 0 tool calls>"
    thought = {"eventType": "llm_thinking", "content": {"thinking": "Hm."}}
    (call,) = recorded(prompt("p", [USER]), prompt("q", [USER]), thought, answer("a", "Hi.")).model_calls
    assert (call.prompt, call.thinking, call.answer) == (None, ("Hm.",), "Hi.")


def test_parallel_calls_are_told_apart_by_the_id_that_the_methods_take() -> None:
    """`call_id=` is in the metadata of all that one call records."""
    recording = Recording()
    trace = recording.trace("t")
    for name in "ab":
        trace.user_message_sync([{"role": "user", "content": name}], metadata={"callId": "not mine"}, call_id=name)  # type: ignore[typeddict-unknown-key]
    trace.llm_thinking_sync("Hm.", call_id="b")
    trace.llm_response_sync("m", "p", "to b", call_id="b")
    trace.error_sync("refused", call_id="a")
    assert [event["metadata"]["callId"] for event in recording.events] == ["a", "b", "b", "b", "a"]
    first, second = RecordedTrace.from_events(recording.events).model_calls
    assert (first.prompt, first.answer, first.error) == ((PromptMessage("user", "a"),), None, "refused")
    assert (second.prompt, second.thinking, second.answer) == ((PromptMessage("user", "b"),), ("Hm.",), "to b")


def test_interrupted_answers_say_so() -> None:
    """Stopped from outside, or left by their reader."""
    calls = recorded(
        answer("a", "Hi", callId="1", interrupted="CancelledError"), answer("b", "Hi", callId="2", closedEarly=True)
    ).model_calls
    assert [call.interrupted for call in calls] == ["CancelledError", "closed early"]


def test_a_prompt_in_which_no_user_speaks_is_no_message_of_the_user() -> None:
    """It is part of its answer, and where there is none, a prompt; in every view."""
    trace = recorded(
        prompt("p", [USER], [0], callId="1"),
        answer("a", "Wait.", callId="1"),
        prompt("q", [TOLD], ["p/0", 0], callId="2"),
        answer("b", "Three.", callId="2"),
        prompt("r", [{"role": "user", "content": "Observation: 3"}], ["p/0", 0], callId="3", fromUser=False),
    )
    assert [step.kind for step in trace.walk()] == ["user", "model", "model", "prompt"]
    told = trace.steps[2]
    assert isinstance(told, LLMResponse)
    assert [event.key for event in told.events] == ["b", "q"]
    left = trace.steps[3]
    assert isinstance(left, Prompt)
    assert [message.content for message in left.messages] == ["Observation: 3"]
    assert trace_data(trace)["steps"][3]["messages"] == [{"role": "user", "content": "Observation: 3"}]  # type: ignore[index]
    assert "- prompt: user: Observation: 3" in render_brief(trace)
    assert render_brief(trace).count("Hello") == 1


def test_what_a_middleware_asks_is_no_message_of_the_user() -> None:
    """It is part of the answer, and where the call failed, of its error."""
    failed = {"eventType": "error", "idempotencyKey": "e", "content": {"message": "down"}, "metadata": {"callId": "2"}}
    trace = recorded(
        prompt("p", [{"role": "user", "content": "Summarise."}], [0], callId="1", middleware="summary"),
        answer("a", "Short.", callId="1", middleware="summary"),
        prompt("q", [TOLD], ["p/0", 0], callId="2"),
        failed,
    )
    assert [step.kind for step in trace.walk()] == ["model", "error"]
    assert [[event.key for event in step.events] for step in trace.walk()] == [["a", "p"], ["e", "q"]]


def ended(process: str) -> bool | None:
    """Tell of two processes, as what looks them up does."""
    return {"0" * 16: False, "1" * 16: True}.get(process)


def cut_off(*events: dict[str, Any]) -> RecordedTrace:
    return RecordedTrace.from_events([{"traceId": "t", **event} for event in events], is_alive=ended)


def test_a_call_that_its_process_left_is_interrupted() -> None:
    """In the call, and in the views; of a process that runs, or that nobody knows, nothing is said."""
    asked = [prompt(f"{process}-1", [USER], [0], callId=f"{process}-0") for process in ("0" * 16, "1" * 16, "2" * 16)]
    trace = cut_off(*asked)
    assert [call.interrupted for call in trace.model_calls] == ["process ended", None, None]
    assert [step.is_finished for step in trace.walk()] == [False, True, True]
    assert gaps(trace) == ["1 call without a response"]
    assert render_brief(trace).count("→ **process ended before the model answered**") == 1
    assert [step.get("isFinished") for step in trace_data(trace)["steps"]] == [False, None, None]  # type: ignore[attr-defined]
    assert render_tree(trace, width=80, color=False).count("process ended before the model answered") == 1
    assert render_tree(trace, width=80, color=False, full=True).count("process ended before the model answered") == 1


def test_a_prompt_of_no_user_that_its_process_left() -> None:
    """It is told like one of a user's; `--full` shows it below all messages."""
    key = "0" * 16
    trace = cut_off(
        prompt(f"{key}-1", [USER, TOLD], [0, 1], callId=f"{key}-0"),
        answer(f"{key}-2", "Wait.", callId=f"{key}-0"),
        prompt(f"{key}-4", [TOLD], [f"{key}-1:2", 0], callId=f"{key}-3"),
    )
    assert [step.is_finished for step in trace.walk()] == [True, True, False]
    assert [call.interrupted for call in trace.model_calls] == [None, "process ended"]
    assert "process ended before the model answered" in render_tree(trace, width=80, color=False)
    several = cut_off(prompt(f"{key}-1", [USER, TOLD], [0, 1], callId=f"{key}-0"))
    assert "process ended before the model answered" in render_tree(several, width=80, color=False, full=True)


@pytest.mark.parametrize("metadata", [{"callId": "0000000000000000-0"}, {"callId": "another"}, {}])
def test_a_call_that_failed_was_not_left(metadata: Any) -> None:
    """An error that passes through several calls is recorded with the first: any that comes later may be a call's end."""
    key = "0" * 16
    failed = {"eventType": "error", "idempotencyKey": f"{key}-2", "content": {"message": "down"}, "metadata": metadata}
    trace = cut_off(prompt(f"{key}-1", [USER], [0], callId=f"{key}-0"), failed)
    assert [call.interrupted for call in trace.model_calls][:1] == [None]
    assert gaps(trace) == []


class Counted(dict[str, Any]):
    """Counts how often something is looked up."""

    looked_up = 0

    def __getitem__(self, key: str) -> Any:
        self.looked_up += 1
        return super().__getitem__(key)


def test_prompts_that_begin_as_the_one_before_are_read_once_each() -> None:
    """However long the chain is, the events of each are looked up as often; it may be longer than Python's stack is deep."""
    counts = []
    for length in (600, 1_200):
        events = Counted({"0": RecordedEvent(prompt("0", [USER], [0]))})
        for number in range(1, length):
            ids = [f"{number - 1}:{number}", 0]
            events[str(number)] = RecordedEvent(prompt(str(number), [{"role": "user", "content": number}], ids))
        reader = PromptReader(events)
        last = reader.messages(events[str(length - 1)])
        assert [message.content for message in last] == ["Hello", *range(1, length)]
        for number in range(length):
            assert len(reader.messages(events[str(number)])) == number + 1
        counts.append(events.looked_up)
    assert counts[1] == 2 * counts[0]


def test_of_a_fallback_it_is_told_which_model_failed() -> None:
    """In the call, and in the views, where the error names its model."""
    down = {"eventType": "error", "content": {"message": "down"}, "metadata": {"callId": "1", "model": "first"}}
    trace = recorded(prompt("p", [USER], [0], callId="1"), down, answer("a", "Hi.", callId="2", promptIds=["p/0"]))
    assert [call.model for call in trace.model_calls] == ["first", "m"]
    assert "model first" in render_brief(trace)
    assert "model first" in render_tree(trace, width=80, color=False)
    assert trace_data(trace)["steps"][1]["model"] == "first"  # type: ignore[index]
