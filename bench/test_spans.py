"""What recording OpenTelemetry's spans adds to them, beside a processor that does nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Tracer

import whyops
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import capture

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SPANS = 100
ROUNDS = 40
SENTENCE = "A sentence of a conversation, about as long as they are. " * 2


def messages(count: int) -> str:
    """Return so many messages as the conventions write them."""
    said = [{"role": ("user", "assistant")[number % 2], "parts": [{"type": "text", "content": SENTENCE}]} for number in range(count)]
    return json.dumps(said)


def other(tracer: Tracer) -> None:
    """Make a span that tells of no agent."""
    with tracer.start_as_current_span("GET /", attributes={"http.request.method": "GET", "url.path": "/"}) as span:
        span.set_attribute("http.response.status_code", 200)


def tool(tracer: Tracer) -> None:
    """Make a tool's span."""
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.call.arguments": '{"a": 1, "b": 2}'}
    with tracer.start_as_current_span("execute_tool add", attributes=told) as span:
        span.set_attribute("gen_ai.tool.call.result", "3")


def chat(count: int) -> Callable[[Tracer], None]:
    """Return what makes the span of a model that is asked with so many messages."""
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
    told["gen_ai.input.messages"] = messages(count)
    answered = messages(1).replace("user", "assistant")

    def make(tracer: Tracer) -> None:
        with tracer.start_as_current_span("chat m", attributes=told) as span:
            span.set_attribute("gen_ai.output.messages", answered)
            span.set_attribute("gen_ai.usage.input_tokens", 100)

    return make


MADE = {"other": other, "tool": tool, "chat with 3 messages": chat(3), "chat with 21 messages": chat(21)}


@pytest.mark.benchmark(timer=time.thread_time)
@pytest.mark.parametrize("recorded", [False, True], ids=["nothing", "whyops"])
@pytest.mark.parametrize("name", MADE)
def test_spans(benchmark: BenchmarkFixture, name: str, *, recorded: bool) -> None:
    """CPU time of a hundred spans, one after the other, from their start to their end."""
    benchmark.group = name
    provider = TracerProvider(shutdown_on_exit=False)
    with capture():
        provider.add_span_processor(WhyOpsSpanProcessor() if recorded else SpanProcessor())
        tracer = provider.get_tracer("bench")

        def make() -> None:
            for _ in range(SPANS):
                MADE[name](tracer)

        with whyops.trace("bench"):
            benchmark.pedantic(make, rounds=ROUNDS, warmup_rounds=2)
