"""Servers in which a client's trace goes on: where it is trusted, whatever kind of server it is, and nothing for those that are not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

pytest.importorskip("mcp")

import mcp
from mcp.server import Server

import whyops
from tests.ignored import ignored
from tests.integrations.mcp.links import HAS_CLIENT, in_memory, told
from tests.integrations.mcp.shop import look_up, make_server, ship
from whyops._recording.carried import KEY, Carried, to_text
from whyops.integrations.mcp import instrument, recorded_session

SENT = "whyops.trace=order-7,whyops.span=s-1"
"""What a client sends from a span of its trace."""


def ask(server: Any, text: object, tool: str = "look_up") -> str:
    """Call a tool of a server with what a client sends along, without recording the call, and return the answer's text."""

    async def asked() -> Any:
        async with in_memory(server) as session:
            return await session.call_tool(tool, {"sku": "lamp"}, meta={KEY: text})

    return str(asyncio.run(asked()).content[0].text)


def parents() -> list[tuple[str, str | None]]:
    """Tell which of the shop's tools were called in the trace, and the span around each but nested ones."""
    told("order-7")
    return [(step.name, step.first.parent_span_id) for step in whyops.load_trace("order-7").calls if step.name != "price_of"]


@pytest.mark.parametrize("tool", ["look_up", "ship"])
def test_under_the_span_that_a_call_was_sent_from(tool: str) -> None:
    """A tool's call is recorded in the client's trace, under the client's span: of a sync function and of an async one."""
    ask(make_server(trust=True), SENT, tool)
    assert parents() == [(tool, "s-1")]


@pytest.mark.parametrize(
    "text, why",
    [
        (SENT, "untrusted"),
        ("order-7", "malformed"),
        ("whyops.trace=order-7,whyops.trace=order-8", "malformed"),
        (SENT + "," + ",".join(["whyops.user=" + "x" * 100] * 50), "malformed"),
        ("whyops.trace=" + "x" * 20_000, "malformed"),
        (to_text(Carried("order-7", "s-1"), "guessed", time.time()), "untrusted"),
        (to_text(Carried("order-7", "s-1"), "known to both", time.time() - 100_000), "untrusted"),
    ],
    ids=["unsigned", "no baggage", "twice", "too long", "far too long", "forged", "old"],
)
def test_what_a_stranger_sends(text: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not signed with the server's secret changes nothing of the answer, records nothing, and is counted."""
    monkeypatch.setenv("WHYOPS_TRUST_SECRET", "known to both")
    assert '"price": 4' in ask(make_server(), text)
    assert ignored() == {why: 1}
    assert not whyops.load_traces()


@pytest.mark.parametrize("sent", [7, None, ["whyops.trace=order-7"], {"trace": "order-7"}], ids=["number", "null", "list", "object"])
def test_what_is_no_text(sent: object) -> None:
    """What a stranger sends under our key need not be text: the call is answered, and nothing recorded."""
    assert '"price": 4' in ask(make_server(trust=True), sent)
    assert ignored() == ({} if sent is None else {"malformed": 1})
    assert not whyops.load_traces()


def test_who_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that both have, given or in the environment, or a function that is given the call's `_meta`, lets a trace go on."""
    signed = to_text(Carried("order-7", "s-1"), "known to both", time.time())
    seen: list[Any] = []

    def decide(meta: Any) -> bool:
        seen.append(meta[KEY])
        return True

    ask(make_server(trust="known to both"), signed)
    ask(make_server(trust=decide), SENT)
    monkeypatch.setenv("WHYOPS_TRUST_SECRET", "known to both")
    ask(make_server(), signed)
    assert seen == [SENT]
    assert parents() == [("look_up", "s-1")] * 3


def test_a_signed_call() -> None:
    """What a recorded session sends is signed where the client has the secret: the server goes on with it."""

    async def use() -> None:
        async with in_memory(make_server(trust="known to both")) as session:
            with whyops.trace("order-7"):
                await recorded_session(session).call_tool("ship", {"sku": "lamp"})

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WHYOPS_TRUST_SECRET", "known to both")
        asyncio.run(use())
    assert told("order-7") == ["ship(lamp): 'shipped lamp'", "  ship(lamp): 'shipped lamp'", "    price_of(lamp): 4"]


def test_the_latest_trust_holds() -> None:
    """Called again, `instrument` has the latest `trust` hold, and a call is recorded once."""
    server = make_server(trust=True)
    assert instrument(server, trust=False) is server
    ask(server, SENT)
    assert ignored() == {"untrusted": 1}
    instrument(server, trust=True)
    ask(server, SENT)
    assert parents() == [("look_up", "s-1")]


def test_a_secret_is_not_shown() -> None:
    """No attribute and no `repr` of what `instrument` puts into a server holds the secret."""
    server = make_server(trust="known to both")
    low_level = getattr(server, "_mcp_server", server)
    placed = [*getattr(low_level, "middleware", []), *getattr(low_level, "request_handlers", {}).values()]
    (ours,) = [each for each in placed if type(each).__module__.startswith("whyops.")]
    assert "known to both" not in f"{ours!r} {vars(ours)!r}"


def low_level_server() -> Any:
    """Make a low-level server with the shop's tools."""
    if HAS_CLIENT:
        tool = mcp.types.Tool(name="ship", input_schema={"type": "object"})

        async def listed(context: Any, params: Any) -> Any:
            return mcp.types.ListToolsResult(tools=[tool])

        async def called(context: Any, params: Any) -> Any:
            return mcp.types.CallToolResult(content=[mcp.types.TextContent(type="text", text=await ship(**params.arguments))])

        return Server("shop", on_list_tools=listed, on_call_tool=called)
    server = Server("shop")

    @server.list_tools()
    async def tools() -> Any:
        return [mcp.types.Tool(name="ship", inputSchema={"type": "object"})]

    @server.call_tool()
    async def call(name: str, arguments: dict[str, Any]) -> Any:
        return [mcp.types.TextContent(type="text", text=await ship(**arguments))]

    return server


def test_a_low_level_server() -> None:
    """A low-level server is taken as well, once it has its handler of tool calls."""
    assert ask(instrument(low_level_server(), trust=True), SENT, "ship") == "shipped lamp"
    assert parents() == [("ship", "s-1")]


@pytest.mark.parametrize("what", [object(), look_up, Server, *([] if HAS_CLIENT else [Server("without tools")])])
def test_what_is_no_server(what: object) -> None:
    """Whatever is no server of the package, or has no tools that could be called, is refused."""
    with pytest.raises(TypeError, match="takes a server of the package mcp"):
        instrument(what, trust=True)


class OtherServer:
    """A server of another package, with middlewares of another form."""

    def __init__(self) -> None:
        self.middleware: list[object] = []


def test_another_packages_server() -> None:
    """A server of another package is refused, and left as it is."""
    server = OtherServer()
    with pytest.raises(TypeError, match="takes a server of the package mcp"):
        instrument(server, trust=True)
    assert server.middleware == []
