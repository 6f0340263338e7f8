"""Google's Agent Development Kit, run for real; it puts messages into spans where the environment says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

adk_agents: Any = pytest.importorskip("google.adk.agents")
adk_models: Any = pytest.importorskip("google.adk.models")
runners: Any = pytest.importorskip("google.adk.runners")
types: Any = pytest.importorskip("google.genai.types")
otel: Any = pytest.importorskip("opentelemetry.trace")


@pytest.fixture
def _traced(processor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the processor to the global provider, which is the one that ADK asks."""
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    if not isinstance(otel.get_tracer_provider(), TracerProvider):  # it can be set once
        otel.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    otel.get_tracer_provider().add_span_processor(processor)


class Scripted(adk_models.BaseLlm):  # type: ignore[misc]
    async def generate_content_async(self, asked: Any, stream: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002  (the framework says so)
        cities = ("Paris", "Rome") if asked.contents[-1].parts[-1].function_response is None else ()
        calls = [types.Part.from_function_call(name="weather", args={"city": city}) for city in cities]
        usage = types.GenerateContentResponseUsageMetadata(
            prompt_token_count=100, candidates_token_count=10, cached_content_token_count=60, total_token_count=110
        )
        content = types.Content(role="model", parts=[types.Part(text="Looking." if calls else "Sunny."), *calls])
        yield adk_models.LlmResponse(content=content, usage_metadata=usage, finish_reason=types.FinishReason.STOP)


@whyops.tool
def weather(city: str) -> dict[str, str]:
    """Tell the weather."""
    return {"sky": f"sunny in {city}"}


class Handing(adk_models.BaseLlm):  # type: ignore[misc]
    async def generate_content_async(self, asked: Any, stream: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002  (as above)
        hands = asked.contents[-1].parts[-1].function_response is None
        part = types.Part.from_function_call(name="expert", args={"request": "Weather?"}) if hands else types.Part(text="It is sunny.")
        yield adk_models.LlmResponse(content=types.Content(role="model", parts=[part]), finish_reason=types.FinishReason.STOP)


async def run(agent: Any) -> None:
    runner = runners.InMemoryRunner(agent=agent, app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="u", session_id="session-1")
    message = types.Content(role="user", parts=[types.Part(text="Weather?")])
    async for _ in runner.run_async(user_id="u", session_id="session-1", new_message=message):
        pass


@pytest.mark.usefixtures("_traced")
def test_what_an_agent_does_that_is_a_tool_is_inside_the_tools_call(captured: Captured) -> None:
    """Its model's calls are its own, though the tool's span is inside that of the call which asked for it."""
    agent_tool: Any = pytest.importorskip("google.adk.tools.agent_tool")
    expert = adk_agents.LlmAgent(name="expert", model=Scripted(model="scripted"), instruction="Be exact.", tools=[weather])
    tools = [agent_tool.AgentTool(agent=expert)]
    with whyops.trace("t"):
        asyncio.run(run(adk_agents.LlmAgent(name="guide", model=Handing(model="scripted"), instruction="Be short.", tools=tools)))
    requests = {event["content"]["name"]: event for event in captured.of_type("tool_call_request")}
    assert sorted(captured.tool_names()) == ["expert", "weather", "weather"]
    inside = requests["expert"]["spanId"]
    told = [(event["metadata"]["agent"], event["metadata"].get("parentSpanId")) for event in captured.of_type("llm_response")]
    assert told == [("guide", None), ("expert", inside), ("expert", inside), ("guide", None)]
    assert requests["weather"]["metadata"]["parentSpanId"] == inside


@pytest.mark.usefixtures("_traced")
def test_a_run_is_recorded(captured: Captured) -> None:
    """Prompts, answers, parallel tools, which are decorated and there once, tokens; the session is the trace."""
    asyncio.run(run(adk_agents.LlmAgent(name="guide", model=Scripted(model="scripted"), instruction="Be short.", tools=[weather])))
    assert asked_and_given(captured) == [
        ("weather", {"city": "Paris"}, {"sky": "sunny in Paris"}),
        ("weather", {"city": "Rome"}, {"sky": "sunny in Rome"}),
    ]
    recorded = trace_of(captured)
    assert recorded.trace_id == "session-1"
    _, second = recorded.model_calls
    assert [message.role for message in second.prompt or ()] == ["system", "user", "assistant", "tool", "tool"]
    usage = captured.of_type("llm_response")[0]["metadata"]["usage"]
    assert (usage["promptTokens"], usage["cacheReadTokens"]) == (40, 60)
    assert captured.of_type("error") == []
