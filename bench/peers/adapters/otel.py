"""OpenTelemetry's SDK with its batch processor and its OTLP exporter, and the span that a user writes by hand: it has no decorator."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class Peer:
    """A provider that exports to the stub."""

    def __init__(self, url: str) -> None:
        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url + "/v1/traces")))
        trace.set_tracer_provider(self._provider)
        self._tracer = trace.get_tracer("bench")

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Put the call into a span with its arguments and its result."""
        tracer = self._tracer

        @functools.wraps(function)
        def wrapper(order: str, limit: int) -> Any:
            with tracer.start_as_current_span("search_orders") as span:
                span.set_attribute("arguments", json.dumps({"order": order, "limit": limit}))
                result = function(order, limit=limit)
                span.set_attribute("result", json.dumps(result))
                return result

        return wrapper

    def async_tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Put the call into a span with its arguments and its result."""
        tracer = self._tracer

        @functools.wraps(function)
        async def wrapper(order: str, limit: int) -> Any:
            with tracer.start_as_current_span("search_orders") as span:
                span.set_attribute("arguments", json.dumps({"order": order, "limit": limit}))
                result = await function(order, limit=limit)
                span.set_attribute("result", json.dumps(result))
                return result

        return wrapper

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open a root span."""
        return self._tracer.start_as_current_span("agent")

    def flush(self) -> None:
        """Wait until all is exported."""
        self._provider.force_flush(60_000)
