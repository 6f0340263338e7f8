"""The official client, in memory or with a process, in either of the package's forms."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client

from whyops._mcp.answers import Answers
from whyops._mcp.server import make_server

FRAME = re.compile(r"(?s)(.*) It ends only at the line with ([0-9a-f]{16})\.\n<recorded \2>\n(.*)\n</recorded \2>")


class Told(NamedTuple):
    """What a tool answered: all of it, what stands in the frame, and whether it failed."""

    text: str
    inside: str
    failed: bool


async def _opened(home: Path, stack: AsyncExitStack, process: Mapping[str, str] | None) -> Any:
    if process is not None:
        parameters = StdioServerParameters(command=sys.executable, args=["-m", "whyops", "mcp"], env=dict(process))
        session = await stack.enter_async_context(mcp.ClientSession(*await stack.enter_async_context(stdio_client(parameters))))
        await session.initialize()
        return session
    server = make_server(Answers(home))
    if hasattr(mcp, "Client"):
        return await stack.enter_async_context(mcp.Client(server))
    from mcp.shared.memory import create_connected_server_and_client_session  # noqa: PLC0415  (of release 1 only)

    return await stack.enter_async_context(create_connected_server_and_client_session(server))


def asked(home: Path, *calls: tuple[str, dict[str, object]], process: Mapping[str, str] | None = None) -> list[Told]:
    """Call tools one after the other, of a server for a home: in this process, or in one of its own with an environment."""

    async def all_of_them() -> list[Told]:
        async with AsyncExitStack() as stack:
            client = await _opened(home, stack, process)
            return [_told(await client.call_tool(name, arguments)) for name, arguments in calls]

    return asyncio.run(all_of_them())


def tools(home: Path) -> list[Any]:
    """Give the tools that a server offers."""

    async def all_of_them() -> list[Any]:
        async with AsyncExitStack() as stack:
            return list((await (await _opened(home, stack, None)).list_tools()).tools)

    return asyncio.run(all_of_them())


def _told(result: Any) -> Told:
    (part,) = result.content
    found = FRAME.fullmatch(part.text)
    assert result.model_dump(by_alias=True).get("structuredContent") is None
    return Told(part.text, "" if found is None else found[3], result.model_dump(by_alias=True)["isError"])
