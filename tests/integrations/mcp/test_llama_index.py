"""LlamaIndex's adapter on a recorded client: each call of a tool is one, with the server's tools below it, with a handler or without."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

pytest.importorskip("llama_index.tools.mcp")
pytest.importorskip("uvicorn")

from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

import whyops
from tests.integrations.mcp.links import serving, told
from tests.integrations.mcp.shop import SHIPPED, make_server
from whyops.integrations.llama_index import instrument
from whyops.integrations.mcp import recorded_session


@pytest.mark.parametrize("handler", [True, False])
def test_each_call_is_recorded_once(*, handler: bool) -> None:
    """Its client opens a session for each call: the call is recorded once, and the trace goes on in the server."""

    async def use(url: str) -> None:
        client = recorded_session(BasicMCPClient(url))
        tools = {tool.metadata.name: tool for tool in await McpToolSpec(client=client).to_tool_list_async()}
        with whyops.trace("order-7"), instrument() if handler else contextlib.nullcontext():
            await asyncio.gather(*(tools["ship"].acall(sku=sku) for sku in ("bed", "sofa")))
            await tools["refuse"].acall(sku="bed")
            await client.call_tool("plain", {"sku": "bed"})
        await client.http_client.aclose()  # which nobody else does

    with serving(make_server(trust=True)) as url:
        asyncio.run(use(url))
    assert told("order-7") == [
        *SHIPPED,
        "refuse(bed): failed",
        "  refuse(bed): failed",
        "plain(bed): 'bed!'",
    ]
