"""Tools of a real MCP server, in memory, through langchain-mcp-adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("langchain_mcp_adapters")
pytest.importorskip("mcp.server.fastmcp")  # the name of another class in version 2

from langchain.agents import create_agent
from langchain_core.tools import BaseTool
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver
from mcp.server.fastmcp import FastMCP, Image
from mcp.shared.memory import create_connected_server_and_client_session

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario

NEEDS = "python>=3.11"
TELLS_ERRORS = (NEEDS, "langchain-mcp-adapters>=0.3")
"""Before, a failed call raised."""

server = FastMCP("weather", log_level="ERROR")


@server.tool()
def weather(city: str, days: int = 1) -> str:
    """Tell the weather."""
    if city == "nowhere":
        raise ValueError("no such city")
    return f"sunny in {city} for {days} days"


@server.tool(structured_output=False)
def picture(city: str) -> list[Any]:
    """Show a city."""
    return [f"{city}:", Image(data=b"hello", format="png")]


@server.tool()
def measured(city: str) -> dict[str, int]:
    """Measure the weather."""
    return {"degrees": 21, "wind": len(city)}


@server.tool()
def nothing(city: str) -> None:
    """Say nothing."""


@asynccontextmanager
async def tools_of(which: FastMCP) -> AsyncIterator[list[BaseTool]]:
    """Connect to a server, and give its tools."""
    async with create_connected_server_and_client_session(which) as session:
        yield await load_mcp_tools(session)


async def asked(run: Run, *wanted: tuple[str, dict[str, Any]]) -> None:
    async with tools_of(server) as tools:
        agent = create_agent(run.model(calls(*wanted), "So.", "Bye."), [*tools, find], checkpointer=InMemorySaver())
        for text in ("What is it like?", "Thanks"):
            await agent.ainvoke(ask(text), run.in_thread())


@scenario(feature="MCP tools", recorded="The arguments by name, the text as the result", needs=NEEDS)
async def text(run: Run) -> None:
    await asked(run, ("weather", {"city": "Kiel", "days": 2}))


@scenario(feature="MCP tools", recorded="Of a failed call the server's words", needs=TELLS_ERRORS)
async def failed(run: Run) -> None:
    await asked(run, ("weather", {"city": "nowhere"}))


@scenario(feature="MCP tools", recorded="Of an image kind and data, in the result and in the prompt", needs=NEEDS)
async def image(run: Run) -> None:
    await asked(run, ("picture", {"city": "Kiel"}))


@scenario(feature="MCP tools", recorded="The text of a structured result, and beside it the values", needs=NEEDS)
async def structured_result(run: Run) -> None:
    await asked(run, ("measured", {"city": "Kiel"}))


@scenario(feature="MCP tools", recorded="An empty result as it is", needs=NEEDS)
async def empty(run: Run) -> None:
    await asked(run, ("nothing", {"city": "Kiel"}))


@scenario(feature="MCP tools", recorded="Several calls at once, beside one of another tool", needs=TELLS_ERRORS)
async def several_at_once(run: Run) -> None:
    await asked(run, ("weather", {"city": "Kiel"}), ("weather", {"city": "nowhere"}), ("find", {"order": "1"}))
