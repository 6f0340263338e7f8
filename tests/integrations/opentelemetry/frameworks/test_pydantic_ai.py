"""pydantic-ai, run for real, with each format of its spans."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

pydantic_ai: Any = pytest.importorskip("pydantic_ai")
messages: Any = pytest.importorskip("pydantic_ai.messages")
function: Any = pytest.importorskip("pydantic_ai.models.function")
instrumented: Any = pytest.importorskip("pydantic_ai.models.instrumented")
capabilities: Any = pytest.importorskip("pydantic_ai.capabilities")


def scripted(asked: list[Any], _: Any) -> Any:
    if "Fail" in str(asked):
        raise ValueError("model down")
    if len(asked) > 1:
        return messages.ModelResponse(parts=[messages.TextPart("Sunny.")])
    calls = [messages.ToolCallPart("weather", {"city": city}, tool_call_id=city) for city in ("Paris", "Nowhere")]
    return messages.ModelResponse(parts=[messages.ThinkingPart("Two."), messages.TextPart("Looking."), *calls])


async def streamed(asked: list[Any], _: Any) -> Any:
    if len(asked) > 1:
        for text in ("Sun", "ny."):
            yield text
        return
    yield {0: function.DeltaToolCall("weather", '{"city": "Pa', tool_call_id="c1")}
    yield {0: function.DeltaToolCall(json_args='ris"}')}


def guide(provider: TracerProvider, version: int) -> Any:
    settings = instrumented.InstrumentationSettings(tracer_provider=provider, version=version)
    model = function.FunctionModel(scripted, stream_function=streamed, model_name="scripted")
    agent = pydantic_ai.Agent(model, instructions="Be short.", name="guide", capabilities=[capabilities.Instrumentation(settings)])

    @agent.tool_plain
    @whyops.tool
    def weather(city: str) -> str:
        if city == "Nowhere":
            raise pydantic_ai.ModelRetry("no such city")
        return f"sunny in {city}"

    return agent


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
def test_a_run_is_recorded(captured: Captured, provider: TracerProvider, version: int) -> None:
    """Prompts, reasoning, answers and parallel tools, which are decorated and there once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent = guide(provider, version)
    agent.run_sync("Weather in Paris and Nowhere?")
    (name, arguments, result), failed = asked_and_given(captured)
    assert (name, arguments, result) == ("weather", {"city": "Paris"}, {"result": "sunny in Paris"})
    assert failed[1] == {"city": "Nowhere"}
    assert "no such city" in failed[2]["error"]
    assert len(captured.of_type("error")) == 1
    first, second = trace_of(captured).model_calls
    assert first.thinking == ("Two.",)
    assert [message.role for message in second.prompt or ()] == ["system", "user", "assistant", "tool", "tool"]


def test_a_stream_is_recorded(captured: Captured, provider: TracerProvider) -> None:
    """Its answer is whole."""

    async def run() -> None:
        async with guide(provider, 5).run_stream("Weather in Paris?") as stream:
            async for _ in stream.stream_text():
                pass

    asyncio.run(run())
    assert [event["content"].get("content") for event in captured.of_type("llm_response")] == [None, "Sunny."]


def test_a_failure_is_recorded_once(captured: Captured, provider: TracerProvider) -> None:
    """Also where it leaves a trace's block."""
    with pytest.raises(ValueError, match="model down"), whyops.trace("t"):
        guide(provider, 5).run_sync("Fail.")
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["model down"]
