"""LangChain's adapter on a recorded session: each call of a tool is one, with the server's tools below it, with a handler or without."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("langchain_mcp_adapters")
pytest.importorskip("mcp.server.fastmcp")  # the adapter is for release 1
pytest.importorskip("uvicorn")

from langchain_core.runnables import RunnableConfig
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

import whyops
from tests.integrations.mcp.links import in_memory, serving, told
from tests.integrations.mcp.shop import SHIPPED, make_server
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.integrations.mcp import recorded_session


async def called(session: Any, config: RunnableConfig | None, **options: Any) -> None:
    """Call two tools at once in a trace, and one that fails."""
    tools = {tool.name.rpartition("_")[2]: tool for tool in await load_mcp_tools(recorded_session(session), **options)}
    with whyops.trace("order-7"):
        await asyncio.gather(*(tools["ship"].ainvoke({"sku": sku}, config) for sku in ("bed", "sofa")))
        with_a_failure = tools["refuse"].ainvoke({"sku": "bed"}, config)
        await asyncio.gather(with_a_failure, return_exceptions=True)


def made(options: dict[str, Any], *, handler: bool) -> list[str]:
    """Call a server's tools in memory, and tell what was recorded."""

    async def use() -> None:
        async with in_memory(make_server(trust=True)) as session:
            await called(session, {"callbacks": [WhyOpsCallbackHandler()]} if handler else None, **options)

    asyncio.run(use())
    return told("order-7")


EXPECTED = [
    *SHIPPED,
    "refuse(bed): failed",
    "  refuse(bed): failed",
]


@pytest.mark.parametrize("handler", [True, False])
def test_each_call_is_recorded_once(*, handler: bool) -> None:
    """The handler's record of a call is the only one, and so is the session's where there is no handler."""
    assert made({}, handler=handler) == EXPECTED


def test_names_with_the_servers_before_them() -> None:
    """A tool that the adapter named after its server as well is the server's tool."""
    prefixed = [line if line.startswith(" ") else f"shop_{line}" for line in EXPECTED]
    assert made({"server_name": "shop", "tool_name_prefix": True}, handler=True) == prefixed


def test_a_session_of_the_adapters_client() -> None:
    """The tools of a session that the adapter's client opened over HTTP, recorded, are as those of one made by hand."""

    async def use(url: str) -> None:
        client = MultiServerMCPClient({"shop": {"transport": "streamable_http", "url": url}})
        async with client.session("shop") as session:
            await called(session, {"callbacks": [WhyOpsCallbackHandler()]})

    with serving(make_server(trust=True)) as url:
        asyncio.run(use(url))
    assert told("order-7") == EXPECTED
