"""OpenAI's Agents SDK, run for real, with OpenInference's instrumentation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import trace_of
from whyops.testing import Captured

agents: Any = pytest.importorskip("agents")
instrumentation: Any = pytest.importorskip("openinference.instrumentation.openai_agents")
openai: Any = pytest.importorskip("openai")


@pytest.fixture
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    instrumentor = instrumentation.OpenAIAgentsInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield
    instrumentor.uninstrument()


@pytest.mark.usefixtures("_instrumented")
def test_a_run_with_a_handoff_is_recorded(captured: Captured) -> None:
    """Prompts as the API was given them, parallel tools, the handoff, and the error of a model, once."""
    calls = [("c1", "weather", {"city": "Paris"}), ("c2", "weather", {"city": "Rome"})]
    answers = [answer("Looking.", *calls), answer(None, ("h1", "transfer_to_expert", {})), answer("Sunny.")]
    with chat_api(answers) as (url, given):
        client = openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0)
        model = agents.OpenAIChatCompletionsModel(model="scripted", openai_client=client)

        @whyops.tool
        def weather(city: str) -> str:
            return f"sunny in {city}"

        expert = agents.Agent(name="expert", instructions="Be exact.", model=model)
        tools = [agents.function_tool(weather)]
        guide = agents.Agent(name="guide", instructions="Be short.", model=model, tools=tools, handoffs=[expert])
        asyncio.run(agents.Runner.run(guide, "Weather?"))
        recorded = trace_of(captured)
        asked = [[message.role for message in call.prompt or ()] for call in recorded.model_calls]
        assert asked == [[message["role"] for message in messages] for messages in given]
        with pytest.raises(openai.BadRequestError), whyops.trace("fails"):
            asyncio.run(agents.Runner.run(guide, "Break."))
    assert captured.tool_names() == ["weather", "weather", "handoff to expert"]
    assert [event["metadata"]["agent"] for event in captured.of_type("llm_response")] == ["guide", "guide", "expert"]
    assert len(captured.of_type("error")) == 1


@pytest.mark.usefixtures("_instrumented")
def test_a_streamed_run_is_recorded(captured: Captured) -> None:
    """Its prompts, the tool's call, the answer as it came, and the tokens."""

    async def run(url: str) -> str:
        client = openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0)
        model = agents.OpenAIChatCompletionsModel(model="scripted", openai_client=client)
        settings = agents.ModelSettings(include_usage=True)
        tools = [agents.function_tool(weather)]
        guide = agents.Agent(name="guide", instructions="Be short.", model=model, model_settings=settings, tools=tools)
        result = agents.Runner.run_streamed(guide, "Weather?")
        async for _ in result.stream_events():
            pass
        return str(result.final_output)

    with chat_api([answer(None, ("c1", "weather", {"city": "Paris"})), answer("Sunny in Paris.")]) as (url, given):
        assert asyncio.run(run(url)) == "Sunny in Paris."
    calls = trace_of(captured).model_calls
    assert [[message.role for message in call.prompt or ()] for call in calls] == [
        [each["role"] for each in messages] for messages in given
    ]
    assert captured.tool_names() == ["weather"]
    assert [event["content"].get("content") for event in captured.of_type("llm_response")] == [None, "Sunny in Paris."]
    usages = [event["metadata"]["usage"] for event in captured.of_type("llm_response")]
    assert [usage["completionTokens"] for usage in usages] == [10, 10]


@whyops.tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"
