"""An MCP server, in this process or as a program, for either release of the package: its tools work, fail, take long or record nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import whyops
from whyops.integrations.mcp import instrument

try:
    from mcp.server.fastmcp import FastMCP
except ImportError:  # its name since 2.0
    from mcp.server import MCPServer as FastMCP


SHIPPED = (
    "ship(bed): 'shipped bed'",
    "  ship(bed): 'shipped bed'",
    "    price_of(bed): 3",
    "ship(sofa): 'shipped sofa'",
    "  ship(sofa): 'shipped sofa'",
    "    price_of(sofa): 4",
)
"""What is told of a bed and a sofa that are shipped at once: the client's calls, and within each what the server records."""


@whyops.tool
def price_of(sku: str) -> int:
    """Be called by a tool of the server."""
    return len(sku)


@whyops.tool
def look_up(sku: str) -> dict[str, Any]:
    """Look up a thing."""
    return {"sku": sku, "price": price_of(sku)}


@whyops.tool
async def ship(sku: str) -> str:
    """Ship a thing, while others go on."""
    await asyncio.sleep(0)
    price_of(sku)
    return f"shipped {sku}"


@whyops.tool
async def refuse(sku: str) -> str:
    """Fail."""
    raise ValueError(f"no {sku} here")


@whyops.tool
async def wait(sku: str) -> str:
    """Leave a file, and answer when nobody waits any more."""
    Path(sku).touch()  # noqa: ASYNC240  (at once)
    await asyncio.sleep(30)
    return sku


def plain(sku: str) -> str:
    """Record nothing."""
    return f"{sku}!"


def make_server(**trust: Any) -> Any:
    """Make a server whose clients are trusted as `instrument` is told."""
    server = FastMCP("shop", log_level="CRITICAL")
    for function in (look_up, ship, refuse, wait, plain):
        server.tool()(function)
    return instrument(server, **trust)


if __name__ == "__main__":
    make_server(**({"trust": True} if sys.argv[1:] == ["trusting"] else {})).run()
