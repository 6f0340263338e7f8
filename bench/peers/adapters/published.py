"""The published whyops 0.1.1, and the two calls around each tool that its users write: it has no decorator."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from whyops import WhyOps


class Peer:
    """A client and its trace."""

    def __init__(self, url: str) -> None:
        sdk = WhyOps(
            api_key="whyops_bench",
            agent_name="bench",
            agent_metadata={"systemPrompt": "bench", "tools": []},
            proxy_base_url=url,
            analyse_base_url=url + "/api",
        )
        self._trace = sdk.trace("bench-trace")

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Send an event before and an event after."""

        @functools.wraps(function)
        def wrapper(order: str, limit: int) -> Any:
            calls = [{"name": "search_orders", "arguments": {"order": order, "limit": limit}}]
            span = self._trace.tool_call_request_sync("search_orders", calls)
            result = function(order, limit=limit)
            self._trace.tool_call_response_sync("search_orders", span, calls, result)
            return result

        return wrapper

    def async_tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Send an event before and an event after."""

        @functools.wraps(function)
        async def wrapper(order: str, limit: int) -> Any:
            calls = [{"name": "search_orders", "arguments": {"order": order, "limit": limit}}]
            span = await self._trace.tool_call_request("search_orders", calls)
            result = await function(order, limit=limit)
            await self._trace.tool_call_response("search_orders", span, calls, result)
            return result

        return wrapper

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open nothing: the trace is an object."""
        return contextlib.nullcontext()

    def flush(self) -> None:
        """Wait for nothing: each call has waited already."""
