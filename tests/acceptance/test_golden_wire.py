"""The golden form of each event, as it goes over the wire: whole, so that nothing is added, lost or renamed unnoticed."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import whyops
from tests.server import StrictServer

CALLS: Any = [{"name": "search", "arguments": {"query": "tea", "limit": 3}}]
MODEL_CALLS: Any = [{"id": "call_1", "function": {"name": "search", "arguments": '{"query": "tea"}'}}]
SENT_MODEL_CALLS = [{**MODEL_CALLS[0], **MODEL_CALLS[0]["function"]}]
USAGE: Any = {"promptTokens": 42, "completionTokens": 16, "totalTokens": 88, "cacheReadTokens": 20, "cacheCreationTokens": 10}
WRITES: Any = {
    "input_tokens": 42,
    "output_tokens": 16,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 10,
    "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 7},
}

GOLDEN: dict[str, tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]] = {
    "user_message": (
        ([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],),
        {},
        {
            "content": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
            "metadata": {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]},
        },
    ),
    "user_message with metadata": (
        ([{"role": "user", "content": "Hi"}],),
        {"metadata": {"systemPrompt": "Be kind.", "tools": [{"name": "search"}], "params": {"temperature": 0.5}}},
        {
            "content": [{"role": "user", "content": "Hi"}],
            "metadata": {"systemPrompt": "Be kind.", "tools": [{"name": "search"}], "params": {"temperature": 0.5}},
        },
    ),
    "llm_response": (
        ("gpt-4o", "openai", "Here you are."),
        {"tool_calls": MODEL_CALLS, "finish_reason": "tool_calls", "usage": USAGE, "latency_ms": 390},
        {
            "content": {"content": "Here you are.", "toolCalls": SENT_MODEL_CALLS, "finishReason": "tool_calls"},
            "metadata": {"model": "gpt-4o", "provider": "openai", "usage": USAGE, "latencyMs": 390},
        },
    ),
    "llm_response with writes to a cache by how long they last": (
        ("claude", "anthropic"),
        {"usage": WRITES},
        {
            "content": {},
            "metadata": {
                "model": "claude",
                "provider": "anthropic",
                "usage": {
                    "promptTokens": 42,
                    "completionTokens": 16,
                    "totalTokens": 88,
                    "cacheReadTokens": 20,
                    "cacheWrite5mTokens": 3,
                    "cacheWrite1hTokens": 7,
                },
            },
        },
    ),
    "llm_response with the least": (
        ("gpt-4o", "openai"),
        {},
        {"content": {}, "metadata": {"model": "gpt-4o", "provider": "openai"}},
    ),
    "llm_thinking": (
        ("Let me see.",),
        {"signature": "abc"},
        {"content": {"type": "thinking", "thinking": "Let me see.", "signature": "abc"}},
    ),
    "llm_thinking with the least": (("Let me see.",), {}, {"content": {"type": "thinking", "thinking": "Let me see."}}),
    "embedding_request": ((["tea", "cup"],), {}, {"content": {"input": ["tea", "cup"]}}),
    "embedding_response": (
        ("text-embedding-3-small", "openai", 2, 1536),
        {"total_tokens": 8, "latency_ms": 61},
        {
            "content": {"object": "list", "embeddingCount": 2, "firstEmbeddingDimensions": 1536, "encodingFormat": "float"},
            "metadata": {"model": "text-embedding-3-small", "provider": "openai", "usage": {"totalTokens": 8}, "latencyMs": 61},
        },
    ),
    "tool_call_request": (
        ("search", CALLS),
        {"latency_ms": 11, "requested_at": "2026-01-02T03:04:05.000000Z", "span_id": "s-1"},
        {
            "spanId": "s-1",
            "content": {"name": "search", "toolCalls": CALLS, "requestedAt": "2026-01-02T03:04:05.000000Z"},
            "metadata": {"tool": "search", "latencyMs": 11},
        },
    ),
    "tool_call_response": (
        ("search", "s-1", CALLS, {"found": 2}),
        {"latency_ms": 88, "responded_at": "2026-01-02T03:04:06.000000Z"},
        {
            "spanId": "s-1",
            "content": {"name": "search", "toolCalls": CALLS, "toolResults": {"found": 2}, "respondedAt": "2026-01-02T03:04:06.000000Z"},
            "metadata": {"tool": "search", "latencyMs": 88},
        },
    ),
    "tool_call_response with no dict": (
        ("search", "s-1", CALLS, [1, 2]),
        {},
        {
            "spanId": "s-1",
            "content": {"name": "search", "toolCalls": CALLS, "toolResults": {"result": [1, 2]}},
            "metadata": {"tool": "search"},
        },
    ),
    "tool_call_response of a failure": (
        ("search", "s-1", CALLS, {"error": "no such order", "tries": 2}),
        {},
        {
            "spanId": "s-1",
            "content": {
                "name": "search",
                "toolCalls": CALLS,
                "toolResults": {"error": "no such order", "tries": 2},
                "error": "no such order",
            },
            "metadata": {"tool": "search"},
        },
    ),
    "tool_result": (("search", {"found": 2}), {}, {"content": {"name": "search", "toolName": "search", "output": {"found": 2}}}),
    "error": (
        ("no such order",),
        {"status": 404, "stack": "Traceback …"},
        {"content": {"message": "no such order", "status": 404, "stack": "Traceback …"}},
    ),
    "error with the least": (("no such order",), {}, {"content": {"message": "no such order"}}),
}


def normalised(event: dict[str, Any]) -> dict[str, Any]:
    """Give an event without what differs from run to run, having checked its form."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
    exact = event["metadata"]["recordedAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", exact)
    assert exact[:23] <= event["timestamp"][:23]
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]+", event["idempotencyKey"])
    opened = event["metadata"].get("startedAt", exact)  # of a block's first event
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", opened)
    assert opened <= exact
    metadata = {name: value for name, value in event["metadata"].items() if name not in ("recordedAt", "startedAt")}
    rest = {name: value for name, value in event.items() if name not in ("timestamp", "idempotencyKey", "metadata")}
    return {**rest, "metadata": metadata} if metadata else rest


@pytest.mark.parametrize("twin", ["_sync", ""], ids=["sync", "async"])
@pytest.mark.parametrize("case", GOLDEN)
def test_each_event(server: StrictServer, sdk: whyops.WhyOps, case: str, twin: str) -> None:
    """Each explicit method and its async twin give exactly this event."""
    positional, keywords, expected = GOLDEN[case]
    event_type = case.partition(" ")[0]
    trace = sdk.trace("t-1", external_user_id="u-1")
    returned = getattr(trace, event_type + twin)(*positional, **keywords)
    if inspect.isawaitable(returned):
        returned = asyncio.run(_awaited(returned))
    sdk.flush_sync()
    [event] = server.events
    assert normalised(event) == {"traceId": "t-1", "agentName": "agent", "externalUserId": "u-1", "eventType": event_type, **expected}
    assert returned == ("s-1" if event_type == "tool_call_request" else None)


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def test_every_option(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """The options that all methods take go where the service looks for them."""
    sdk.trace("t-1").error_sync(
        "no",
        span_id="s-1",
        step_id=4,
        parent_step_id=2,
        timestamp="2026-01-02T03:04:05.678Z",
        idempotency_key="k-1",
        external_user_id="u-1",
    )
    sdk.flush_sync()
    assert server.events == [
        {
            "traceId": "t-1",
            "agentName": "agent",
            "externalUserId": "u-1",
            "eventType": "error",
            "spanId": "s-1",
            "stepId": 4,
            "parentStepId": 2,
            "timestamp": server.events[0]["timestamp"],
            "idempotencyKey": "k-1",
            "content": {"message": "no"},
        }
    ]
    assert server.service.rows[0]["timestamp"] == "2026-01-02T03:04:05.678Z"


def run_tool(tool: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a tool, sync or async, to its end."""
    result = tool(*args, **kwargs)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


def make_tools(body: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Give a sync and an async tool named `search` around `body`."""

    def search(query: str, limit: int = 3, *extra: str, exact: bool = False, **rest: Any) -> Any:
        return body(query)

    async def search_async(query: str, limit: int = 3, *extra: str, exact: bool = False, **rest: Any) -> Any:
        return body(query)

    return {"sync": whyops.tool(search), "async": whyops.tool(name="search")(search_async)}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_decorated_tool(server: StrictServer, sdk: whyops.WhyOps, kind: str) -> None:
    """A decorated call is a request with its arguments by name, defaults filled in, and a response with result and time."""
    tool = make_tools(lambda query: {"found": query})[kind]
    with sdk.trace("t-1", external_user_id="u-1"):
        assert run_tool(tool, "tea", exact=True) == {"found": "tea"}
    sdk.flush_sync()
    request, response = map(normalised, server.events)
    common = {"traceId": "t-1", "agentName": "agent", "externalUserId": "u-1", "spanId": request["spanId"]}
    [call] = request["content"]["toolCalls"]
    assert call["name"] == "search"
    arguments = call["arguments"]
    assert {name: arguments[name] for name in ("query", "limit", "exact")} == {"query": "tea", "limit": 3, "exact": True}
    assert arguments.get("extra", []) == []
    assert arguments.get("rest", {}) == {}
    content = {"name": "search", "toolCalls": [call]}
    run_id = request["metadata"]["runId"]
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9]+", run_id)
    expected = {"tool": "search", "runId": run_id}
    assert request == {**common, "eventType": "tool_call_request", "content": content, "metadata": expected}
    metadata = response["metadata"]
    assert metadata["latencyMs"] == round(metadata["durationMs"])
    assert response == {
        **common,
        "eventType": "tool_call_response",
        "content": {**content, "toolResults": {"found": "tea"}},
        "metadata": {**expected, "latencyMs": metadata["latencyMs"], "durationMs": metadata["durationMs"]},
    }


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("result", [None, "text", [1, 2], 7, 1.5, True])
def test_a_result_that_is_no_dict(server: StrictServer, sdk: whyops.WhyOps, kind: str, result: object) -> None:
    """Any result that is no dict is recorded as `{"result": value}`."""
    with sdk.trace("t-1"):
        assert run_tool(make_tools(lambda _: result)[kind], "tea") == result
    sdk.flush_sync()
    assert server.events[1]["content"]["toolResults"] == {"result": result}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tool_that_raises(server: StrictServer, sdk: whyops.WhyOps, kind: str) -> None:
    """A tool that raises gives a request, an error with the span's id, and the closing response with `toolResults.error`."""
    failure = LookupError("no such order")

    def fail(_: str) -> None:
        raise failure

    with sdk.trace("t-1"), pytest.raises(LookupError) as caught:
        run_tool(make_tools(fail)[kind], "tea")
    assert caught.value is failure
    sdk.flush_sync()
    request, error, response = map(normalised, server.events)
    assert [event["eventType"] for event in (request, error, response)] == ["tool_call_request", "error", "tool_call_response"]
    assert request["spanId"] == error["spanId"] == response["spanId"]
    assert error["content"]["message"] == "no such order"
    assert error["content"]["type"] == "LookupError"
    assert "fail" in error["content"]["stack"]
    assert "no such order" in str(response["content"]["toolResults"]["error"])
    assert response["content"]["error"] == response["content"]["toolResults"]["error"]
    assert response["content"]["toolCalls"] == request["content"]["toolCalls"]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "result", [{"error": "no"}, {"error": {"code": 3}, "x": 1}, {"error": None}, {"error": ""}, {"x": {"error": "no"}}]
)
def test_a_result_that_says_what_went_wrong(server: StrictServer, sdk: whyops.WhyOps, kind: str, result: dict[str, Any]) -> None:
    """An `error` in a tool's result stands beside it too; an empty one, or one further in, does not."""
    with sdk.trace("t-1"):
        assert run_tool(make_tools(lambda _: result)[kind], "tea") == result
    sdk.flush_sync()
    content = server.events[1]["content"]
    assert content["toolResults"] == result
    assert content.get("error") == (result.get("error") or None)


def test_nested_tools(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """A tool called by a tool names its caller's span as its parent, and so do the events recorded within."""

    @whyops.tool
    def inner() -> str:
        trace = whyops.current_trace()
        assert trace is not None
        trace.llm_thinking_sync("Hm.")
        return "done"

    @whyops.tool
    def outer() -> str:
        return inner()

    with sdk.trace("t-1"):
        outer()
    sdk.flush_sync()
    outer_request, inner_request, thinking, inner_response, outer_response = server.events
    assert "parentSpanId" not in outer_request["metadata"]
    assert inner_request["metadata"]["parentSpanId"] == inner_response["metadata"]["parentSpanId"] == outer_request["spanId"]
    assert thinking["metadata"]["parentSpanId"] == inner_request["spanId"]
    assert "parentSpanId" not in outer_response["metadata"]
