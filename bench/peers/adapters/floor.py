"""The physical floor: both events of a call built as dicts, encoded by pydantic-core, and written to an append-only file, one by one.

It redacts nothing, bounds nothing and sends nothing.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable
from typing import Any

from pydantic_core import to_json

ToolCalls = list[dict[str, Any]]


class Peer:
    """Opens the file."""

    def __init__(self, _url: str) -> None:
        self._file = os.open(os.environ["BENCH_HOME"] + "/events", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Write an event before and an event after."""

        @functools.wraps(function)
        def wrapper(order: str, limit: int) -> Any:
            calls, started = self._request(order, limit)
            result = function(order, limit=limit)
            self._respond(calls, result, started)
            return result

        return wrapper

    def async_tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Write an event before and an event after."""

        @functools.wraps(function)
        async def wrapper(order: str, limit: int) -> Any:
            calls, started = self._request(order, limit)
            result = await function(order, limit=limit)
            self._respond(calls, result, started)
            return result

        return wrapper

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open nothing."""
        return contextlib.nullcontext()

    def flush(self) -> None:
        """Wait for nothing."""

    def _request(self, order: str, limit: int) -> tuple[ToolCalls, int]:
        calls = [{"name": "search_orders", "arguments": {"order": order, "limit": limit}}]
        self._record("tool_call_request", {"toolCalls": calls}, {"tool": "search_orders"})
        return calls, time.perf_counter_ns()

    def _respond(self, calls: ToolCalls, result: Any, started: int) -> None:
        took = (time.perf_counter_ns() - started) / 1e6
        metadata = {"tool": "search_orders", "latencyMs": round(took), "durationMs": took}
        self._record("tool_call_response", {"toolCalls": calls, "toolResults": result}, metadata)

    def _record(self, event_type: str, content: dict[str, Any], metadata: dict[str, Any]) -> None:
        event = {
            "traceId": "bench-trace",
            "agentName": "bench",
            "eventType": event_type,
            "spanId": "0123456789abcdef-17",
            "timestamp": "2026-11-23T18:14:05.123456Z",
            "idempotencyKey": "0123456789abcdef-18",
            "content": content,
            "metadata": metadata,
        }
        os.write(self._file, to_json(event) + b"\n")
