"""smolagents, run for real, with OpenInference's instrumentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

smolagents: Any = pytest.importorskip("smolagents")
instrumentation: Any = pytest.importorskip("openinference.instrumentation.smolagents")


@pytest.fixture
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    instrumentor = instrumentation.SmolagentsInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield
    instrumentor.uninstrument()


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    if city == "Nowhere":
        raise ValueError("no such city")
    return f"sunny in {city}"


@pytest.mark.usefixtures("_instrumented")
def test_a_run_is_recorded(captured: Captured) -> None:
    """As many prompts as the API was given, tools with arguments and results, a failed one once, tokens."""
    calls = [("c1", "weather", {"city": "Paris"}), ("c2", "weather", {"city": "Rome"})]
    failing = answer("Hm.", ("c3", "weather", {"city": "Nowhere"}))
    with chat_api([answer("Looking.", *calls), failing, answer(None, ("c9", "final_answer", {"answer": "Sunny."}))]) as (url, given):
        model = smolagents.OpenAIServerModel(model_id="scripted", api_base=url, api_key="x")
        agent = smolagents.ToolCallingAgent(tools=[smolagents.tool(weather)], model=model, name="guide", verbosity_level=0)
        assert agent.run("Weather?") == "Sunny."
    made = asked_and_given(captured)
    assert sorted(arguments["city"] for name, arguments, _ in made if name == "weather") == ["Nowhere", "Paris", "Rome"]
    assert ("weather", {"city": "Nowhere"}, {"error": "ValueError: no such city"}) in made
    assert len(captured.of_type("error")) == 1
    model_calls = trace_of(captured).model_calls
    assert len(model_calls) == len(given)
    assert len(model_calls[0].prompt or ()) == len(given[0])
    assert [call.tools for call in model_calls] == [("weather", "final_answer")] * 3
    assert [event["metadata"]["usage"]["completionTokens"] for event in captured.of_type("llm_response")] == [10, 10, 10]
    assert {event["metadata"]["agent"] for event in captured.events} == {"guide"}


@pytest.mark.usefixtures("_instrumented")
def test_a_streamed_run_is_recorded(captured: Captured) -> None:
    """Its prompts, the tool's call and the answers, as they came."""
    script = [answer(None, ("c1", "weather", {"city": "Paris"})), answer(None, ("c9", "final_answer", {"answer": "Sunny."}))]
    with chat_api(script) as (url, given):
        model = smolagents.OpenAIServerModel(model_id="scripted", api_base=url, api_key="x")
        tools = [smolagents.tool(weather)]
        agent = smolagents.ToolCallingAgent(tools=tools, model=model, name="guide", verbosity_level=0, stream_outputs=True)
        assert list(agent.run("Weather?", stream=True))[-1].output == "Sunny."
    assert [name for name, _, _ in asked_and_given(captured)] == ["weather", "final_answer"]
    prompts = [[message for message in call.prompt or () if message.content] for call in trace_of(captured).model_calls]
    assert [len(prompt) for prompt in prompts] == [len(messages) for messages in given]  # an empty message is not sent
    answered = [call["name"] for event in captured.of_type("llm_response") for call in event["content"]["toolCalls"]]
    assert answered == ["weather", "final_answer"]
