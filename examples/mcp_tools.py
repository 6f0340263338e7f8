"""Tools of an MCP server that runs as a process of its own: each call is recorded here, and what the tool does there stands below it.

Needs the extra `mcp`. The program is both: it starts itself again as the server.
"""

from __future__ import annotations

import asyncio
import os
import sys

import mcp.server
from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

import whyops
from whyops.integrations.mcp import instrument, recorded_session

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("WHYOPS_")}
"""A program that a client of MCP starts gets none of the environment but what is needed to run, and what it is given here."""


@whyops.tool
def last_scan(parcel: str) -> str:
    """Say where a parcel was seen last."""
    return {"P-7": "Lübeck"}[parcel]


@whyops.tool
def where_is(order_id: str) -> str:
    """Say where an order is."""
    return f"Order {order_id} is in {last_scan('P-7')}."


def serve() -> None:
    """Offer `where_is` to whoever started this program."""
    name = "MCPServer" if hasattr(mcp.server, "MCPServer") else "FastMCP"  # as it is called since mcp 2, and before
    server = getattr(mcp.server, name)("parcels", log_level="ERROR")
    server.tool()(where_is)
    instrument(server, trust=True)  # nobody but who started it can speak to it
    server.run()


async def ask() -> None:
    """Start the server and call its tool, as an agent would."""
    program = StdioServerParameters(command=sys.executable, args=[__file__, "serve"], env=SETTINGS)
    async with stdio_client(program) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        recorded_session(session)
        with whyops.trace(external_user_id="mia"):
            result = await session.call_tool("where_is", {"order_id": "123"})
    for part in result.content:
        if part.type == "text":
            print(part.text)
    print("\nSee all of it: whyops show last")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else asyncio.run(ask())
