"""Spans of a framework, as they were when it made them, made again: with the SDK, in the order in which they began and ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.trace import Status, StatusCode

from whyops._trace.recorded import RecordedTrace
from whyops.testing import Captured

SPANS = Path(__file__).parent / "spans"


def steps_of(name: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads((SPANS / f"{name}.json").read_text("utf-8"))
    return steps


def replay(provider: TracerProvider, name: str) -> None:
    make(provider, steps_of(name))


def make(provider: TracerProvider, steps: list[dict[str, Any]]) -> None:
    spans: dict[int, Any] = {}
    for step in steps:
        if step["at"] == "start":
            parent = spans.get(step["parent"])
            around = otel_context.Context() if parent is None else otel.set_span_in_context(parent)
            tracer = provider.get_tracer(step["scope"])
            spans[step["id"]] = tracer.start_span(step["name"], around, attributes=step["attributes"], record_exception=False)
        else:
            finish(spans[step["id"]], step)


def finish(span: Span, step: dict[str, Any]) -> None:
    span.update_name(step["name"])
    span.set_attributes(step["attributes"])
    for event in step["events"]:
        span.add_event(event["name"], event["attributes"])
    if step["status"]["code"] != "UNSET":
        span.set_status(Status(StatusCode[step["status"]["code"]], step["status"]["description"]))
    span.end()


def trace_of(captured: Captured) -> RecordedTrace:
    (trace_id,) = {event["traceId"] for event in captured.events}
    return RecordedTrace.from_events(captured.events, trace_id)


def asked_and_given(captured: Captured) -> list[tuple[str, Any, Any]]:
    """Return each tool's name, arguments and results, in the order of the requests."""
    given = {event["spanId"]: event["content"] for event in captured.of_type("tool_call_response")}
    requests = [(event["spanId"], event["content"]) for event in captured.of_type("tool_call_request")]
    return [(content["name"], content["toolCalls"][0]["arguments"], given[id_]["toolResults"]) for id_, content in requests]
