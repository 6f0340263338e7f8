"""CrewAI with OpenInference's instrumentations of CrewAI and of the client that its models use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

instrumentation: Any = pytest.importorskip("openinference.instrumentation.crewai")
clients: Any = pytest.importorskip("openinference.instrumentation.openai")
crewai: Any = pytest.importorskip("crewai")
tools: Any = pytest.importorskip("crewai.tools")

LOOKING = answer("Looking.", ("c1", "weather", {"city": "Paris"}), ("c2", "add", {"a": 1, "b": 2}), ("c3", "weather", {"city": "Nowhere"}))


@pytest.fixture(autouse=True)
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    instrumentors = instrumentation.CrewAIInstrumentor(), clients.OpenAIInstrumentor()
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def weather(city: str) -> str:
    """Tell the weather."""
    if city == "Nowhere":
        raise ValueError("no such city")
    return "sunny"


@whyops.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def agent(url: str, role: str, **more: Any) -> Any:
    llm = crewai.LLM(model="openai/scripted", base_url=url, api_key="x", max_retries=0, stream=more.pop("stream", False))
    return crewai.Agent(role=role, goal="Be short.", backstory="Knows all.", llm=llm, max_retry_limit=0, **more)


def run(*agents: Any) -> str:
    task = crewai.Task(description="Weather?", expected_output="text", agent=agents[0])
    answered: str = crewai.Crew(agents=list(agents), tasks=[task]).kickoff().raw
    return answered


@pytest.mark.parametrize("stream", [False, True])
def test_a_crews_run_is_recorded(captured: Captured, *, stream: bool) -> None:
    """Prompts, answers, tokens with the cached, tools that ran side by side, one of them decorated and once, and one that failed."""
    with chat_api([LOOKING, answer("Sunny.")]) as (url, given):
        made = [tools.tool(name)(function) for name, function in (("weather", weather), ("add", add))]
        assert run(agent(url, "guide", tools=made, stream=stream)) == "Sunny."
    assert sorted(asked_and_given(captured), key=str) == [
        ("add", {"a": 1, "b": 2}, {"result": 3}),
        ("weather", {"city": "Nowhere"}, {"error": "ValueError: no such city"}),
        ("weather", {"city": "Paris"}, {"result": "sunny"}),
    ]
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["no such city"]
    model_calls = trace_of(captured).model_calls
    assert [len(call.prompt or ()) for call in model_calls] == [len(messages) for messages in given]
    assert [message.role for message in model_calls[1].prompt or ()][-4:] == ["assistant", "tool", "tool", "tool"]
    assert [call.tools for call in model_calls] == [("weather", "add")] * 2
    usages = [event["metadata"]["usage"] for event in captured.of_type("llm_response")]
    assert [(usage["promptTokens"], usage["cacheReadTokens"], usage["completionTokens"]) for usage in usages] == [(40, 60, 10)] * 2
    assert {event["metadata"]["agent"] for event in captured.events} == {"guide"}


def test_what_a_coworker_does_is_inside_the_call_that_hands_over(captured: Captured) -> None:
    """The delegation is a tool's call, and the other agent's prompt and answer are in it; no span names that agent."""
    handed = {"task": "Weather?", "context": "Paris", "coworker": "expert"}
    script = [answer(None, ("c1", "delegate_work_to_coworker", handed)), answer("Sunny."), answer("It is sunny.")]
    with chat_api(script) as (url, _):
        assert run(agent(url, "guide", allow_delegation=True), agent(url, "expert")) == "It is sunny."
    ((_, arguments, result),) = asked_and_given(captured)
    assert (arguments, result) == (handed, {"result": "Sunny."})
    (request,) = captured.of_type("tool_call_request")
    assert [event["metadata"].get("parentSpanId") for event in captured.of_type("llm_response")] == [None, request["spanId"], None]
    second = trace_of(captured).model_calls[1].prompt or ()
    assert "You are expert." in str(second[0].content)


def test_a_models_failure_is_recorded_once(captured: Captured) -> None:
    """With the prompt, and no answer."""
    with chat_api([]) as (url, _), pytest.raises(Exception, match="model down"):
        run(agent(url, "guide"))
    assert len(captured.of_type("error")) == 1
    assert captured.of_type("llm_response") == []
    assert len(captured.of_type("user_message")) == 1
