"""The examples of the service's own page run word for word, and each event is accepted, in order, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.server import StrictServer
from whyops import WhyOps

CALLS = [{"name": "search_orders", "arguments": {"orderId": "123"}}]


def as_seen(server: StrictServer) -> list[dict[str, Any]]:
    """Give the stored events without what differs from run to run, having checked that the service refused and skipped nothing."""
    assert {request.status for request in server.ingested} == {201}
    assert server.events == [event for request in server.ingested for event in request.events]
    assert len({event["idempotencyKey"] for event in server.events}) == len(server.events)
    return list(map(as_given, server.events))


def as_given(event: dict[str, Any]) -> dict[str, Any]:
    """Give an event without its times and key."""
    metadata = {name: value for name, value in event["metadata"].items() if name != "recordedAt"}
    rest = {name: value for name, value in event.items() if name not in ("timestamp", "idempotencyKey", "metadata")}
    return {**rest, "metadata": metadata} if metadata else rest


def page_events(span_id: str, usage: dict[str, int]) -> list[dict[str, Any]]:
    """Give what the page's example must arrive as."""
    common = {"traceId": "session-123", "agentName": "agent", "externalUserId": "user_12345"}
    calls = {"name": "search_orders", "toolCalls": CALLS}
    results = {**calls, "toolResults": {"status": "shipped"}}
    message = [{"role": "user", "content": "Reset my password."}]
    answer = {"content": "Your order has shipped.", "finishReason": "stop"}
    model = {"model": "openai/gpt-4o-mini", "provider": "openai", "usage": usage, "latencyMs": 390}
    tool = {"tool": "search_orders"}
    return [
        {**common, "eventType": "user_message", "content": message},
        {
            **common,
            "eventType": "tool_call_request",
            "spanId": span_id,
            "content": calls,
            "metadata": {**tool, "latencyMs": 11},
        },
        {**common, "eventType": "tool_call_response", "spanId": span_id, "content": results, "metadata": {**tool, "latencyMs": 88}},
        {**common, "eventType": "llm_response", "content": answer, "metadata": model},
    ]


def test_the_page(server: StrictServer, sdk: WhyOps) -> None:
    """The example with the `_sync` methods."""
    # fmt: off
    trace = sdk.trace("session-123")
    trace.user_message_sync([{"role": "user", "content": "Reset my password."}], external_user_id="user_12345")
    span_id = trace.tool_call_request_sync("search_orders", [{"name": "search_orders", "arguments": {"orderId": "123"}}], latency_ms=11)
    trace.tool_call_response_sync("search_orders", span_id, [{"name": "search_orders", "arguments": {"orderId": "123"}}], {"status": "shipped"}, latency_ms=88)  # noqa: E501 - word for word
    trace.llm_response_sync("openai/gpt-4o-mini", "openai", "Your order has shipped.", finish_reason="stop", latency_ms=390,
        usage={"promptTokens": 42, "completionTokens": 16, "totalTokens": 58})
    # fmt: on
    sdk.flush_sync()
    assert as_seen(server) == page_events(span_id, {"promptTokens": 42, "completionTokens": 16, "totalTokens": 58})


def test_the_page_with_await(server: StrictServer, sdk: WhyOps) -> None:
    """The example with the async methods, and cached tokens beside the prompt's."""
    usage = {"promptTokens": 42, "completionTokens": 16, "totalTokens": 88, "cacheReadTokens": 20, "cacheCreationTokens": 10}

    async def example() -> str:
        trace = sdk.trace("session-123")
        await trace.user_message([{"role": "user", "content": "Reset my password."}], external_user_id="user_12345")
        span_id = await trace.tool_call_request("search_orders", CALLS, latency_ms=11)  # type: ignore[arg-type]
        await trace.tool_call_response("search_orders", span_id, CALLS, {"status": "shipped"}, latency_ms=88)  # type: ignore[arg-type]
        await trace.llm_response(
            "openai/gpt-4o-mini",
            "openai",
            "Your order has shipped.",
            finish_reason="stop",
            latency_ms=390,
            usage=usage,  # type: ignore[arg-type]
        )
        await sdk.flush()
        return span_id

    span_id = asyncio.run(example())
    assert as_seen(server) == page_events(span_id, usage)


@pytest.mark.parametrize("stayed_open", [True, False])
def test_the_tool_part_of_the_hybrid_example(server: StrictServer, sdk: WhyOps, *, stayed_open: bool) -> None:
    """The hybrid example's own events, under the trace id that the proxy is given too, whether or not the client is closed."""
    trace_id = "checkout-8841"
    trace = sdk.trace(trace_id)
    assert trace.headers() == {"X-Trace-ID": trace_id, "X-Thread-ID": trace_id}
    span_id = trace.tool_call_request_sync("search_orders", CALLS)  # type: ignore[arg-type]
    trace.tool_call_response_sync("search_orders", span_id, CALLS, {"status": "shipped"})  # type: ignore[arg-type]
    if stayed_open:
        sdk.flush_sync()
    else:
        sdk.close_sync()
    assert [(event["eventType"], event["traceId"], event["spanId"]) for event in as_seen(server)] == [
        ("tool_call_request", trace_id, span_id),
        ("tool_call_response", trace_id, span_id),
    ]


def test_the_agent_is_initialised_first(server: StrictServer, sdk: WhyOps) -> None:
    """The agent is described to the service once, before its first event, with what the caller left out filled in."""
    for number in range(3):
        sdk.trace(f"t{number}").error_sync("no")
        sdk.flush_sync()
    assert [request.path for request in server.requests] == ["/api/entities/init"] + ["/api/events"] * 3
    assert server.requests[0].json() == {"agentName": "agent", "metadata": {"systemPrompt": "Be kind.", "tools": []}}
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer whyops_test"
        assert request.headers["x-agent-name"] == "agent"
        assert request.headers["content-type"].startswith("application/json")
    assert server.connections == 1
