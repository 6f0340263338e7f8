"""Runs of an agent as lines, and the spans that they make, read with OpenTelemetry's own classes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests._recording.recording import Recording
from whyops._otlp import span as ours
from whyops._otlp.mapping import Mapping
from whyops._recording.tool import tool
from whyops._recording.trace import Trace

PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@tool
def look(thing: str) -> dict[str, str]:
    return {"found": thing}


@tool
def pay(amount: int) -> None:
    look("card")
    raise ValueError(f"no {amount}")


def fails(amount: int) -> None:
    """Call the tool that fails."""
    with contextlib.suppress(ValueError):
        pay(amount)


def turn(trace: Trace, question: str) -> None:
    """Run an agent once: a question, reasoning, a tool that works and one that fails, an answer."""
    with trace:
        trace.user_message_sync([{"role": "system", "content": "Be kind."}, {"role": "user", "content": question}])
        trace.llm_thinking_sync("Let me see.")
        call = {"id": "c1", "name": "look", "arguments": {"thing": "cup"}}
        used = {"promptTokens": 3, "completionTokens": 4, "totalTokens": 24, "cacheReadTokens": 5, "cacheCreationTokens": 12}
        trace.llm_response_sync("gpt-4o", "openai", tool_calls=[call], finish_reason="tool_calls", usage=used, latency_ms=2.5)
        look("cup")
        fails(5)
        trace.llm_response_sync("gpt-4o", "openai", f"Answer to {question}", finish_reason="stop")


def chat() -> Recording:
    """Record a chat of two turns."""
    recording = Recording()
    trace = recording.trace("chat-1", "u-1")
    turn(trace, "first")
    turn(trace, "second")
    return recording


def read(spans: Sequence[ours.Span]) -> list[Span]:
    """Read spans as OpenTelemetry's own classes do."""
    return [Span.FromString(ours.span_bytes(span)) for span in spans]


def mapped(lines: Sequence[bytes], size: int = 1_000, mapping: Mapping | None = None) -> list[Span]:
    """Return the spans that lines make, sent in batches of this size, and what is left at the end."""
    mapping = mapping or Mapping("agent")
    spans: list[ours.Span] = []
    for start in range(0, len(lines), size):
        spans += [span for _, span in mapping.spans(lines[start : start + size])]
        mapping.settle()
        spans += mapping.ended()
        mapping.forget_ended()
    return read([*spans, *mapping.end_all()])


def only(spans: Sequence[Span], name: str) -> Span:
    """Return the only span of this name."""
    (found,) = [span for span in spans if span.name == name]
    return found
