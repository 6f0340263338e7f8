"""Strands Agents, run for real, with both forms of its spans: it reads the environment, so each has a run of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

strands: Any = pytest.importorskip("strands")
models: Any = pytest.importorskip("strands.models")
tracers: Any = pytest.importorskip("strands.telemetry.tracer")


@pytest.fixture(params=["", "gen_ai_latest_experimental"])
def _traced(provider: TracerProvider, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", request.param)
    monkeypatch.setattr(otel, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracers.trace_api, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracers, "_tracer_instance", None)


class Scripted(models.Model):  # type: ignore[misc]
    config = {"model_id": "scripted"}  # noqa: RUF012  (as the framework wants it)

    def update_config(self, **_: Any) -> None:
        pass

    def get_config(self) -> Any:
        return self.config

    async def structured_output(self, *_: Any, **__: Any) -> Any:
        yield {}

    async def stream(self, messages: Any, _tools: Any = None, system_prompt: Any = None, **__: Any) -> Any:
        if system_prompt == "fail":
            raise RuntimeError("model down")
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        yield {"contentBlockDelta": {"delta": {"text": "Looking." if len(messages) == 1 else "Sunny."}}}
        yield {"contentBlockStop": {}}
        for city in ("Paris", "Nowhere") if len(messages) == 1 else ():
            yield {"contentBlockStart": {"start": {"toolUse": {"name": "weather", "toolUseId": city}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps({"city": city})}}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if len(messages) == 1 else "end_turn"}}
        usage = {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110, "cacheReadInputTokens": 60}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 5}}}


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    if city == "Nowhere":
        raise ValueError("no such city")
    return f"sunny in {city}"


@pytest.mark.usefixtures("_traced")
def test_a_run_is_recorded(captured: Captured) -> None:
    """Prompts, answers, parallel tools, one of which fails, and tokens."""
    agent = strands.Agent(model=Scripted(), tools=[strands.tool(weather)], system_prompt="Be short.", name="guide", callback_handler=None)
    agent("Weather?")
    made = sorted(asked_and_given(captured), key=lambda call: call[1]["city"])
    assert made == [
        ("weather", {"city": "Nowhere"}, {"error": "ValueError: no such city"}),
        ("weather", {"city": "Paris"}, {"result": "sunny in Paris"}),
    ]
    first, second = trace_of(captured).model_calls
    assert [message.role for message in second.prompt or ()] == ["system", "user", "assistant", "tool", "tool"]
    assert (first.prompt or ())[1].content == "Weather?"
    usage = captured.of_type("llm_response")[0]["metadata"]["usage"]
    assert (usage["promptTokens"], usage["cacheReadTokens"]) == (40, 60)
    assert len(captured.of_type("error")) == 1


@pytest.mark.usefixtures("_traced")
def test_a_failure_is_recorded_once(captured: Captured) -> None:
    """Also where it leaves a trace's block."""
    agent = strands.Agent(model=Scripted(), system_prompt="fail", name="guide", callback_handler=None)
    with pytest.raises(RuntimeError, match="model down"), whyops.trace("t"):
        agent("Break.")
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["model down"]
