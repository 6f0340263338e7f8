"""Ways to a server: in memory, over the standard streams of a process, over HTTP; and what was recorded, as a tree of lines."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import mcp
import uvicorn
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

import whyops
from whyops._default import default_client
from whyops._trace.steps import Step, ToolCall

HAS_CLIENT = hasattr(mcp, "Client")
"""Whether this is release 2."""


def in_memory(server: Any) -> AbstractAsyncContextManager[Any]:
    """Connect to a server of this process."""
    if HAS_CLIENT:
        return mcp.Client(server)
    from mcp.shared.memory import create_connected_server_and_client_session  # noqa: PLC0415  (of release 1 only)

    return create_connected_server_and_client_session(server)


@asynccontextmanager
async def over_stdio(*arguments: str) -> AsyncIterator[Any]:
    """Start the shop as a program of its own, with the settings of this one, and connect to it."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("WHYOPS_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, ["src", os.environ.get("PYTHONPATH")]))
    program = str(Path(__file__).with_name("shop.py"))
    parameters = StdioServerParameters(command=sys.executable, args=[program, *arguments], env=environment)
    async with stdio_client(parameters) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        yield session


@contextmanager
def serving(server: Any) -> Iterator[str]:
    """Serve a server over HTTP, from a thread, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(server.streamable_http_app(), log_level="critical", timeout_graceful_shutdown=1)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            running.should_exit = True
            thread.join()


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Any]:
    """Connect to a server over streamable HTTP."""
    async with streamable_http_client(url) as streams, mcp.ClientSession(*streams[:2]) as session:
        await session.initialize()
        yield session


def seconds(limit: float) -> Any:
    """Give a time limit as this release takes it."""
    return limit if HAS_CLIENT else timedelta(seconds=limit)


async def begun(left: Path) -> None:
    """Wait until a tool has left a file."""
    while not os.path.exists(left):  # noqa: ASYNC110, ASYNC240, PTH110  (of another process, where nothing can be awaited)
        await asyncio.sleep(0.01)


def told(trace_id: str) -> list[str]:
    """Tell the calls of a trace and their ends, each below the one that it was made in, in the order in which they were asked."""
    default_client().flush_sync()
    return list(_lines(whyops.load_trace(trace_id).steps, ""))


def _lines(steps: Sequence[Step], indent: str) -> Iterator[str]:
    for step in steps:
        assert isinstance(step, ToolCall), step
        arguments = step.arguments
        assert isinstance(arguments, dict)
        end = "interrupted" if step.interrupted else "failed" if step.error else repr(step.result) if step.is_finished else "open"
        yield f"{indent}{step.name}({', '.join(map(str, arguments.values()))}): {end}"
        yield from _lines(step.children, indent + "  ")
