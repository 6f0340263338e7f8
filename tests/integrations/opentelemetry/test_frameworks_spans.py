"""Spans that frameworks made, by each form of the conventions, are recorded as what the agent did."""

from __future__ import annotations

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.integrations.opentelemetry.replayed import asked_and_given, replay, trace_of
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import Captured

PARIS = ("weather", {"city": "Paris"}, {"result": "sunny in Paris"})
PARIS_AS_DICT = ("weather", {"city": "Paris"}, {"sky": "sunny in Paris"})
FAILED = {"city": "Nowhere"}

TOOLS = {
    "pydantic_ai_format_2": [PARIS_AS_DICT, ("weather", FAILED, {"error": "pydantic_ai.exceptions.ToolRetryError: no such city"})],
    "pydantic_ai": [PARIS_AS_DICT, ("weather", FAILED, {"error": "pydantic_ai.exceptions.ToolRetryError: no such city"})],
    "pydantic_ai_streams": [PARIS_AS_DICT],
    "strands_events": [PARIS, ("weather", FAILED, {"error": "ValueError: no such city"})],
    "strands": [PARIS, ("weather", FAILED, {"error": "ValueError: no such city"})],
    "google_adk": [PARIS_AS_DICT, ("weather", FAILED, {"error": "no such city"})],
    "smolagents": [
        PARIS,
        ("weather", {"city": "Rome"}, {"result": "sunny in Rome"}),
        ("weather", FAILED, {"error": "ValueError: no such city"}),
        ("final_answer", {"answer": "Sunny in both."}, {"result": "Sunny in both."}),
    ],
}

SUNNY = ("weather", {"city": "Paris"}, {"result": "sunny"})
ADDED = ("add", {"a": 1, "b": 2})
NO_SUCH_CITY = "Failed to invoke Tool `weather` with parameters {'city': 'Nowhere'}. Error: no such city"
TOOLS |= {
    "crewai": [(*ADDED, {"result": "3"}), SUNNY, ("weather", FAILED, {"error": "ValueError: no such city"})],
    "haystack": [SUNNY, (*ADDED, {"result": 3}), ("weather", FAILED, {"error": NO_SUCH_CITY})],
    "langchain_openinference": [(*ADDED, {"result": "3"}), ("add", {"a": 3, "b": 4}, {"result": "7"})],
    "langchain_traceloop": [(*ADDED, {"result": "3"}), ("add", {"a": 3, "b": 4}, {"result": "7"})],
}

MODEL_FAILS = {
    "haystack_model_fails": "Error code: 400 - model down",
    "pydantic_ai_model_fails": "model down",
    "strands_model_fails": "model down",
    "openai_agents_model_fails": "Error getting response: {'error': 'Error code: 400 - model down'}",
    "smolagents_model_fails": "Error code: 400 - model down",
}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_are_recorded_with_arguments_and_results(captured: Captured, provider: TracerProvider, name: str) -> None:
    """Each call is there once, with its arguments, and with its result or what went wrong."""
    replay(provider, name)
    assert asked_and_given(captured) == TOOLS[name]
    assert len(captured.of_type("error")) == sum("error" in result for _, _, result in TOOLS[name])


@pytest.mark.parametrize("name", ["pydantic_ai", "pydantic_ai_format_2", "strands", "strands_events"])
def test_prompts_are_rebuilt(captured: Captured, provider: TracerProvider, name: str) -> None:
    """The second prompt is what the first one was, the answer to it, and the results."""
    replay(provider, name)
    first, second = (call.prompt or () for call in trace_of(captured).model_calls)
    assert [(message.role, message.content) for message in first] == [
        ("system", "Be short."),
        ("user", "Weather in Paris and Nowhere?"),
    ]
    assert second[:2] == first
    assert [message.role for message in second[2:]] == ["assistant", "tool", "tool"]
    assert [(call.id, call.name, call.arguments) for call in second[2].tool_calls] == [
        ("c1", "weather", {"city": "Paris"}),
        ("c2", "weather", {"city": "Nowhere"}),
    ]
    assert [message.tool_call_id for message in second[3:]] == ["c1", "c2"]


@pytest.mark.parametrize("name", ["crewai", "haystack", "langchain_openinference", "langchain_traceloop"])
def test_prompts_are_rebuilt_where_the_form_is_the_frameworks_own(captured: Captured, provider: TracerProvider, name: str) -> None:
    """What was asked first, the answer with its calls, and what the tools gave; with the tools offered, and tokens with the cached."""
    replay(provider, name)
    first, second = trace_of(captured).model_calls
    assert [message.role for message in first.prompt or ()] == ["system", "user"]
    prompt = second.prompt or ()
    results = len(asked_and_given(captured))
    assert [message.role for message in prompt] == ["system", "user", "assistant", *["tool"] * results]
    assert len(prompt[2].tool_calls) == results
    assert first.tools == second.tools == (("add",) if name.startswith("langchain") else ("weather", "add"))
    usage = captured.of_type("llm_response")[0]["metadata"]["usage"]
    assert (usage["promptTokens"], usage["cacheReadTokens"], usage["completionTokens"]) == (40, 60, 10)


def test_the_whole_of_an_answer_is_recorded(captured: Captured, provider: TracerProvider) -> None:
    """Reasoning, text, tool calls, model, provider, tools offered, and tokens with those of the cache beside the others."""
    replay(provider, "pydantic_ai")
    first, second = trace_of(captured).model_calls
    assert first.thinking == ("hmm, two cities",)
    assert first.tools == ("weather", "boom")
    answer, last = captured.of_type("llm_response")
    assert answer["content"]["content"] == "Looking."
    assert answer["metadata"]["provider"] == "function"
    assert answer["metadata"]["usage"] == {
        "promptTokens": 35,
        "completionTokens": 10,
        "totalTokens": 110,
        "cacheReadTokens": 60,
        "cacheCreationTokens": 5,
    }
    assert (second.model, last["content"]) == ("scripted", {"content": "Sunny in Paris."})
    assert {event["metadata"]["agent"] for event in captured.events} == {"guide"}
    assert {event["traceId"] for event in captured.events} == {"conversation-1"}


def test_a_streamed_answer_tells_its_first_token(captured: Captured, provider: TracerProvider) -> None:
    """The time to the first chunk is the span's, and what was streamed is whole."""
    replay(provider, "pydantic_ai_streams")
    first, second = captured.of_type("llm_response")
    assert first["metadata"]["timeToFirstTokenMs"] > 0
    assert first["content"]["toolCalls"][0]["arguments"] == '{"city":"Paris"}'
    assert second["content"]["content"] == "Sunny there."


def test_an_output_that_is_an_answer_of_the_responses_api_is_read(captured: Captured, provider: TracerProvider) -> None:
    """So OpenAI's agents tell the answer of a chat API that was streamed."""
    call = {"type": "function_call", "name": "weather", "arguments": '{"city": "Paris"}', "call_id": "c1"}
    response = {"object": "response", "output": [call], "usage": {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}}
    attributes = {"openinference.span.kind": "LLM", "input.value": "Hi", "output.value": json.dumps([response])}
    with provider.get_tracer("t").start_as_current_span("response", attributes=attributes):
        pass
    (event,) = captured.of_type("llm_response")
    assert [(called["id"], called["name"]) for called in event["content"]["toolCalls"]] == [("c1", "weather")]
    assert event["metadata"]["usage"]["completionTokens"] == 10


@pytest.mark.parametrize("name, cached", [("openai_agents_chat", None), ("openai_agents_responses", 60)])
def test_a_handoff_changes_who_acts(captured: Captured, provider: TracerProvider, name: str, cached: int | None) -> None:
    """Events name the agent; the handoff is a call; several messages of an answer are one."""
    replay(provider, name)
    acting = [event["metadata"]["agent"] for event in captured.of_type("llm_response")]
    assert acting == ["guide", "guide", "expert"]
    assert captured.tool_names() == ["weather", "weather", "handoff to expert"]
    calls = trace_of(captured).model_calls
    assert [call["name"] for call in captured.of_type("llm_response")[0]["content"]["toolCalls"]] == ["weather", "weather"]
    assert (calls[-1].prompt or ())[0].content == "Be exact." or name == "openai_agents_responses"
    usage = captured.of_type("llm_response")[0]["metadata"]["usage"]
    assert (usage["promptTokens"], usage.get("cacheReadTokens")) == (100 - (cached or 0), cached)


@pytest.mark.parametrize("name", MODEL_FAILS)
def test_a_models_failure_is_recorded_once(captured: Captured, provider: TracerProvider, processor: WhyOpsSpanProcessor, name: str) -> None:
    """The spans that it passes through tell it again, and it is one error."""
    replay(provider, name)
    assert [event["content"]["message"] for event in captured.of_type("error")] == [MODEL_FAILS[name]]
    assert captured.of_type("llm_response") == []
    if name == "smolagents_model_fails":
        assert len(processor._open) == 1  # its instrumentation never ends the run's span
        processor._open.clear()


@pytest.mark.parametrize(
    "name, failure", [("pydantic_ai_tool_raises", "RuntimeError: broken tool"), ("google_adk_tool_raises", "ValueError: broken tool")]
)
def test_a_tools_failure_that_ends_the_run_is_recorded_once(captured: Captured, provider: TracerProvider, name: str, failure: str) -> None:
    """The error is the tool's, and not the agent's as well."""
    replay(provider, name)
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["broken tool"]
    assert asked_and_given(captured) == [("boom", {}, {"error": failure})]
