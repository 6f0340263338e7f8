"""What the service gives back is shown exactly as what is kept here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.server import Limits, StrictServer
from tests.test_examples import EXAMPLES, SHOWN
from whyops._find import find_trace
from whyops._render.json import trace_data
from whyops._render.markdown import render_brief
from whyops._render.page.html import render_report
from whyops._render.terminal.tree import render_tree
from whyops._service.reader import ServiceReader

KEY = "whyops_test"


def views(trace: whyops.RecordedTrace) -> list[str]:
    """Give what a person and a model are shown, in short and in full."""
    trees = [render_tree(trace, width=120, color=False, full=full) for full in (False, True)]
    return [*trees, render_brief(trace), render_brief(trace, budget=100_000), repr(trace.totals), repr(trace.calls)]


def data(trace: whyops.RecordedTrace, given: Collection[str] = frozenset()) -> list[Any]:
    """Give what programs and the report's page are told, without the ids and fields in `given`."""
    pieces = re.split(r'(?<=id="data">|d="lines">)(.*?)(?=</script>)', render_report([trace], version="0"), flags=re.DOTALL)
    before, index, between, lines, after = pieces
    told = [json.loads(index), *map(json.loads, lines.split("\n"))]
    return [without(trace_data(trace), given), before, without(told, given), between, after]


def without(value: Any, given: Collection[str]) -> Any:
    """Leave out ids, and with them the steps, which the service numbers, and the zeros of a given time beyond the milliseconds."""
    if isinstance(value, dict):
        left_out = {*given, "stepId", "parentStepId"} if given else set()
        kept = {name: one for name, one in value.items() if name not in left_out and not (isinstance(one, str) and one in given)}
        return {name: without(one, given) for name, one in kept.items()}
    if isinstance(value, list):
        return [without(one, given) for one in value]
    return re.sub(r"(:\d\d\.\d{3})000Z$", r"\1Z", value) if isinstance(value, str) else value


def ids_in(trace: whyops.RecordedTrace) -> set[str]:
    """Give the ids of a trace's events and spans."""
    return {str(event.raw[name]) for event in trace.events for name in ("id", "spanId") if name in event.raw}


def compare(server: StrictServer, home: Path, elsewhere: Path) -> list[str]:
    """Compare each trace as it is kept here with what somebody sees who has only the key, or both; give the traces' ids.

    There is nothing more in what is read from the service than the ids that it gives to what has none, and the trace's user, whom it tells
    with each event: another process that goes on with the trace need not know of that user.
    """
    ids = list(server.service.traces)
    for trace_id in ids:
        here = find_trace(trace_id, home, None)
        far = find_trace(trace_id, elsewhere, ServiceReader(server.url, KEY))
        assert (far.agent_name, far.external_user_id) == (here.agent_name, here.external_user_id)
        assert [event.key for event in far.events] == [event.key for event in here.events]
        assert views(far) == views(here)
        given = ids_in(far) - ids_in(here)
        if not all(event.external_user_id for event in here.events):
            given |= {"externalUserId", "users"}
        assert data(far, given) == data(here, given)
        both = find_trace(trace_id, home, ServiceReader(server.url, KEY))
        assert views(both) == views(here)
        assert data(both) == data(here)
    return ids


@pytest.mark.examples
@pytest.mark.parametrize("name", [name for name, shown in SHOWN.items() if shown])
def test_examples(name: str, home: Path, tmp_path: Path) -> None:
    """Each example, run with a key and a local copy, is the same read from either."""
    for framework in re.findall(r"^from (langchain|langgraph|llama_index)\b", (EXAMPLES / name).read_text("utf-8"), re.MULTILINE):
        pytest.importorskip(framework)
    with StrictServer(limits=Limits(agents=None)) as server:
        settings = {
            "WHYOPS_API_KEY": KEY,
            "WHYOPS_AGENT_NAME": "agent",
            "WHYOPS_ANALYSE_BASE_URL": server.url,
            "WHYOPS_KEEP_LOCAL": "1",
            "WHYOPS_HOME": str(home),
        }
        subprocess.run([sys.executable, str(EXAMPLES / name)], env={**os.environ, **settings}, capture_output=True, check=True)
        assert compare(server, home, tmp_path / "elsewhere")


def test_the_pages_calls(home: Path, tmp_path: Path) -> None:
    """So is what the service's own page records, with a system prompt, a failed tool and many calls at once."""
    with StrictServer() as server:
        settings = {"analyse_base_url": server.url, "proxy_base_url": server.proxy_url, "keep_local": True}
        sdk = whyops.configure(api_key=KEY, agent_name="agent", **settings)

        @whyops.tool
        def inner(number: int) -> int:
            return number

        @whyops.tool
        def outer(number: int) -> int:
            if number == 7:
                raise ValueError("seven")
            return inner(number) + inner(number + 1)

        with sdk.trace("session-123") as trace:
            messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "user", "content": "There?"}]
            trace.user_message_sync(messages, external_user_id="user_12345")
            calls = [{"name": "search_orders", "arguments": {"orderId": "123"}}]
            span_id = trace.tool_call_request_sync("search_orders", calls, latency_ms=11)
            trace.tool_call_response_sync("search_orders", span_id, calls, {"status": "shipped"}, latency_ms=88)
            usage = {"promptTokens": 42, "completionTokens": 16, "totalTokens": 58}
            trace.llm_response_sync("openai/gpt-4o-mini", "openai", "It has shipped.", finish_reason="stop", latency_ms=390, usage=usage)
            for number in range(100):
                if number == 7:
                    with pytest.raises(ValueError, match="seven"):
                        outer(number)
                else:
                    outer(number)
            trace.user_message_sync(messages)
        assert sdk.flush_sync().waiting == 0
        assert compare(server, home, tmp_path / "elsewhere") == ["session-123"]


def test_the_pages_other_examples(home: Path, tmp_path: Path) -> None:
    """With `await` and cached tokens, the tools beside a proxied model, and the same again at one given moment."""
    with StrictServer() as server:
        sdk = whyops.configure(KEY, "agent", None, server.proxy_url, server.url, keep_local=True)
        calls: list[whyops.ToolCallPair] = [{"name": "search_orders", "arguments": {"orderId": "123"}}]
        usage: whyops.TokenUsage = {
            "promptTokens": 42,
            "completionTokens": 16,
            "totalTokens": 88,
            "cacheReadTokens": 20,
            "cacheCreationTokens": 10,
        }

        async def example() -> None:
            trace = sdk.trace("session-123")
            await trace.user_message([{"role": "user", "content": "Reset my password."}], external_user_id="user_12345")
            span_id = await trace.tool_call_request("search_orders", calls, latency_ms=11)
            await trace.tool_call_response("search_orders", span_id, calls, {"status": "shipped"}, latency_ms=88)
            await trace.llm_response("openai/gpt-4o-mini", "openai", "It has shipped.", finish_reason="stop", latency_ms=390, usage=usage)

        asyncio.run(example())
        trace = sdk.trace("checkout-8841")
        for step in range(1, 9, 2):
            options: Any = {"timestamp": "2026-11-02T10:00:00Z"} if step > 3 else {"step_id": step}
            span_id = trace.tool_call_request_sync("search_orders", calls, **options)
            trace.tool_call_response_sync("search_orders", span_id, calls, {"error": "it is away"}, **options)
        assert sdk.flush_sync(timeout=10).waiting == 0
        assert compare(server, home, tmp_path / "elsewhere") == ["session-123", "checkout-8841"]
        sdk.close_sync()
