"""Code written for the published client 0.1.1 runs on ours without a change, and what it sends is now what the service takes."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any

import pytest

import whyops
from tests.server import StrictServer

EMPTY = inspect.Parameter.empty
OPTIONS: dict[str, Any] = {"span_id": "s", "step_id": 1, "parent_step_id": 1, "timestamp": "2026-01-02T03:04:05Z", "idempotency_key": "k"}

METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "user_message": ({"messages": EMPTY}, {"metadata": None}),
    "llm_response": (
        {"model": EMPTY, "provider": EMPTY, "content": None},
        {"tool_calls": None, "finish_reason": None, "usage": None, "latency_ms": None},
    ),
    "llm_thinking": ({"thinking": EMPTY}, {"signature": None}),
    "embedding_request": ({"inputs": EMPTY}, {}),
    "embedding_response": (
        {"model": EMPTY, "provider": EMPTY, "embedding_count": EMPTY, "first_embedding_dimensions": EMPTY},
        {"total_tokens": None, "latency_ms": None},
    ),
    "tool_call_request": ({"tool": EMPTY, "tool_calls": EMPTY}, {"latency_ms": None, "requested_at": None}),
    "tool_call_response": (
        {"tool": EMPTY, "span_id": EMPTY, "tool_calls": EMPTY, "tool_results": EMPTY},
        {"latency_ms": None, "responded_at": None},
    ),
    "tool_result": ({"tool_name": EMPTY, "output": EMPTY}, {}),
    "error": ({"message": EMPTY}, {"status": None, "stack": None}),
}


@pytest.mark.parametrize("twin", ["_sync", ""], ids=["sync", "async"])
@pytest.mark.parametrize("name", METHODS)
def test_method_signatures(name: str, twin: str) -> None:
    """Each method takes what the published one takes: names, order, defaults, and options by keyword.

    The async ones record when they are called, so they are known as coroutine functions only where a plain one can be: from Python 3.12 on.
    """
    positional, keywords = METHODS[name]
    method = getattr(whyops.WhyOpsTrace, name + twin)
    assert inspect.iscoroutinefunction(method) == (not twin and sys.version_info >= (3, 12))
    parameters = dict(inspect.signature(method).parameters)
    parameters.pop("self")
    ordered = [p for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert {p.name: p.default for p in ordered} == positional
    assert [p.name for p in ordered] == list(positional)
    named = {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert keywords.items() <= named.items()
    given = dict.fromkeys(keywords)
    options = {option: value for option, value in OPTIONS.items() if option not in positional}
    inspect.signature(method).bind(None, *positional, **given, **options, an_option_nobody_knows=1)


def test_the_client_takes_what_it_took(server: StrictServer) -> None:
    """The constructor takes its five arguments by position and by name, empty URLs being the hosted ones; `trace` takes `trace_id`."""
    metadata: whyops.AgentMetadata = {"systemPrompt": "Be kind."}
    by_position = whyops.WhyOps("whyops_test", "agent", metadata, "", "")
    by_name = whyops.WhyOps(
        api_key="whyops_test",
        agent_name="agent",
        agent_metadata=metadata,
        proxy_base_url=server.proxy_url,
        analyse_base_url=server.url + "/",
    )
    assert isinstance(by_position.trace("session"), whyops.WhyOpsTrace)
    trace = by_name.trace(trace_id="session")
    trace.error_sync("no")
    by_name.flush_sync()
    assert server.events[0]["traceId"] == "session"


def test_init(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """`init_agent_sync` and `init_agent` give the agent's four facts, and ask the service once."""
    info = sdk.init_agent_sync()
    assert info is not None
    assert info["status"] == "created"
    assert set(info) == {"agentId", "agentVersionId", "status", "versionHash"}
    again = asyncio.run(_init(sdk))
    assert again is not None
    assert again["agentId"] == info["agentId"]
    assert len(server.inits) == 1
    sdk.trace("t").error_sync("no")
    sdk.flush_sync()
    assert len(server.inits) == 1


async def _init(sdk: whyops.WhyOps) -> whyops.AgentInfo | None:
    return await sdk.init_agent()


def test_a_program_of_the_published_readme(server: StrictServer) -> None:
    """A program as the published client's callers write it: its events arrive, each once, with the options in their fields."""
    sdk = whyops.WhyOps("whyops_test", "support-agent", {"systemPrompt": "You help.", "tools": []}, server.proxy_url, server.url)
    trace = sdk.trace("published-1")
    options: dict[str, Any] = {"step_id": 1, "timestamp": "2026-01-02T03:04:05.000Z", "idempotency_key": "m-1"}
    for _ in range(2):
        trace.user_message_sync([{"role": "user", "content": "Hi"}], metadata={"systemPrompt": "You help."}, **options)
    span_id = trace.tool_call_request_sync("search", [{"name": "search", "arguments": {"q": 1}}], requested_at="2026-01-02T03:04:06Z")
    trace.tool_call_response_sync(
        "search", span_id, [{"name": "search", "arguments": {"q": 1}}], {"found": 1}, responded_at="2026-01-02T03:04:07Z", latency_ms=12
    )
    trace.tool_result_sync("search", {"found": 1})
    trace.error_sync("late", status=503, stack="…", span_id=span_id)
    sdk.close_sync()
    assert [(event["eventType"], event.get("spanId")) for event in server.events] == [
        ("user_message", None),
        ("tool_call_request", span_id),
        ("tool_call_response", span_id),
        ("tool_result", None),
        ("error", span_id),
    ]
    assert server.events[0]["stepId"] == 1
    assert server.events[0]["idempotencyKey"] == "m-1"
    assert server.service.rows[0]["timestamp"] == "2026-01-02T03:04:05.000Z"


def test_a_given_span_id_comes_back(sdk: whyops.WhyOps) -> None:
    """`tool_call_request` gives the span id back that it was given, and makes one otherwise, another each time."""
    trace = sdk.trace("t")
    assert trace.tool_call_request_sync("x", [], span_id="mine") == "mine"
    made = {trace.tool_call_request_sync("x", []) for _ in range(3)}
    assert len(made) == 3
    assert all(isinstance(span_id, str) and 0 < len(span_id) <= 128 for span_id in made)
