"""A client and a server that share nothing but the connection, in one process, two, or over HTTP: one trace, where the server trusts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")
pytest.importorskip("uvicorn")

import whyops
from tests.integrations.mcp.links import begun, in_memory, over_http, over_stdio, seconds, serving, told
from tests.integrations.mcp.shop import SHIPPED, make_server
from tests.server.otlp import OtlpServer
from tests.server.server import StrictServer
from whyops.integrations.mcp import recorded_session

Link = Callable[[], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def through_http() -> AsyncIterator[Any]:
    with serving(make_server(trust=True)) as url:
        async with over_http(url) as session:
            yield session


async def answered(session: Any) -> None:
    """Call tools that end, one after the other and side by side."""
    await session.call_tool("look_up", {"sku": "lamp"})
    await asyncio.gather(*(session.call_tool("ship", {"sku": sku}) for sku in ("bed", "sofa")))
    await session.call_tool("refuse", {"sku": "lamp"})
    await session.call_tool("plain", {"sku": "lamp"})


async def unanswered(session: Any, left: Path) -> None:
    """Call a tool not long enough, and then give a call up."""
    with pytest.raises(Exception, match=r"(?i)timed out"):
        await session.call_tool("wait", {"sku": str(left / "late")}, seconds(0.3))
    given_up = asyncio.ensure_future(session.call_tool("wait", {"sku": str(left / "given up")}))
    await begun(left / "given up")
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up


LINKS: dict[str, Link] = {
    "memory": lambda: in_memory(make_server(trust=True)),
    "stdio": lambda: over_stdio("trusting"),
    "http": through_http,
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_one_trace_over(link: Link, tmp_path: Path) -> None:
    """What a server's tools record hangs under the client's calls: of calls that end, fail, come at once, take too long, are given up."""

    async def use() -> None:
        async with link() as session:
            with whyops.trace("order-7"):
                await answered(recorded_session(session))
                await unanswered(session, tmp_path)

    asyncio.run(use())
    lines = [line.replace(f"{tmp_path}/", "") for line in told("order-7")]
    # A server may be too late for the first of the calls that nobody waits for; in mcp 1.24 its program is killed while it has the other.
    lines = [line.removesuffix(": open").removesuffix(": interrupted") if line.startswith("  ") else line for line in lines]
    lines = [line for line in lines if line != "  wait(late)"]
    assert lines == [
        "look_up(lamp): {'sku': 'lamp', 'price': 4}",
        "  look_up(lamp): {'sku': 'lamp', 'price': 4}",
        "    price_of(lamp): 4",
        *SHIPPED,
        "refuse(lamp): failed",
        "  refuse(lamp): failed",
        "plain(lamp): 'lamp!'",
        "wait(late): failed",
        "wait(given up): interrupted",
        "  wait(given up)",
    ]


def test_at_the_service_and_as_spans(tmp_path: Path) -> None:
    """Of all these calls the service takes each event, and a receiver of spans gets one tree: each call once, below the one around it."""

    async def use() -> None:
        async with LINKS["memory"]() as session:
            with whyops.trace("order-7"):
                await answered(recorded_session(session))
                await unanswered(session, tmp_path)

    with StrictServer() as server, OtlpServer() as receiver:
        address = f"http://127.0.0.1:{receiver.port}"
        with whyops.WhyOps("whyops_test", "shop", None, server.proxy_url, server.url, otlp=address) as client:
            asyncio.run(use())
        counts = client.flush_sync().destinations
    asked = {event["spanId"]: event["metadata"].get("parentSpanId") for event in server.events if event["eventType"] == "tool_call_request"}
    ended = [event["spanId"] for event in server.events if event["eventType"] == "tool_call_response"]
    assert {(one.rejected, one.dropped, one.not_recorded, one.waiting) for one in counts} == {(0, 0, 0, 0)}
    assert sorted(ended) == sorted(asked)
    assert sum(parent is None for parent in asked.values()) == 7
    assert all(parent in asked for parent in asked.values() if parent is not None)
    (turn,) = (span for span in receiver.spans if not span.parent_span_id)
    assert turn.name == "invoke_agent shop"
    spans = {span.span_id: span.parent_span_id for span in receiver.spans if span is not turn}
    assert len(spans) == len(asked)
    assert sum(parent == turn.span_id for parent in spans.values()) == 7
    assert all(parent in spans for parent in spans.values() if parent != turn.span_id)
    assert len({span.trace_id for span in receiver.spans}) == 1


def test_a_program_that_trusts_nobody() -> None:
    """A server whose `instrument` was told of nobody records nothing in the client's trace, and answers as before."""

    async def use() -> str:
        async with over_stdio() as session:
            with whyops.trace("order-7"):
                return str((await recorded_session(session).call_tool("look_up", {"sku": "lamp"})).content)

    assert '"price": 4' in asyncio.run(use())
    assert told("order-7") == ["look_up(lamp): {'sku': 'lamp', 'price': 4}"]
