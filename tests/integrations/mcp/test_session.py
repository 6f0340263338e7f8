"""Client sessions whose calls are recorded: each call once, as it was made and as it ended, and nothing of it is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

pytest.importorskip("mcp")

import mcp

import whyops
from tests.integrations.mcp.links import HAS_CLIENT, in_memory, told
from tests.integrations.mcp.shop import make_server
from whyops._recording.carried import KEY
from whyops.integrations.mcp import recorded_session


def use(calls: Callable[[Any], Coroutine[Any, Any, Any]], trace_id: str | None = "order-7", **trust: Any) -> Any:
    """Connect to a server that trusts nobody but as told, outside a trace, and make calls in one."""

    async def connected() -> Any:
        async with in_memory(make_server(**trust)) as session:
            if trace_id is None:
                return await calls(session)
            with whyops.trace(trace_id):
                return await calls(session)

    return asyncio.run(connected())


def test_what_is_returned_and_raised_is_as_before() -> None:
    """A recorded session is the object itself, of a subclass of the same name; answers and exceptions are those of the package."""

    async def calls(session: Any) -> Any:
        cls = type(session)
        before = await session.call_tool("plain", {"sku": "lamp"})
        assert recorded_session(session) is session
        assert isinstance(session, cls)
        assert type(session).__name__ == cls.__name__
        assert await session.call_tool("plain", {"sku": "lamp"}) == before
        with pytest.raises(TypeError, match="call_tool"):
            await session.call_tool(title="plain")
        return None

    use(calls, trust=True)
    assert told("order-7") == ["plain(lamp): 'lamp!'"]


def test_arguments_of_all_kinds() -> None:
    """The name and the arguments are found where they stand, also by name; a call without any has none."""

    async def calls(session: Any) -> None:
        recorded_session(session)
        await session.call_tool(arguments={"sku": "lamp"}, name="plain")
        await session.call_tool("plain")

    use(calls, trust=True)
    assert told("order-7") == ["plain(lamp): 'lamp!'", "plain(): failed"]


def test_recorded_twice_is_recorded_once() -> None:
    """A session, and in release 2 the client around it, may be recorded again: each call is one, with the server's tools below it."""

    async def calls(session: Any) -> None:
        recorded_session(recorded_session(session))
        if HAS_CLIENT:
            recorded_session(session.session)
        await session.call_tool("ship", {"sku": "lamp"})

    use(calls, trust=True)
    assert told("order-7") == ["ship(lamp): 'shipped lamp'", "  ship(lamp): 'shipped lamp'", "    price_of(lamp): 4"]


def test_what_is_sent_along() -> None:
    """A caller's own `meta` is sent as it is, with our key beside it and without the user; outside a trace there is none."""
    seen: list[dict[str, Any]] = []
    own = {"dev.example/shelf": 7}

    async def calls(session: Any) -> None:
        recorded_session(session)
        await session.call_tool("plain", {"sku": "lamp"}, meta=own)

    use(calls, trace_id=None, trust=lambda meta: seen.append(dict(meta)))
    assert not seen
    use(calls, trust=lambda meta: seen.append(dict(meta)))
    assert own == {"dev.example/shelf": 7}
    (meta,) = seen
    assert meta["dev.example/shelf"] == 7
    assert meta[KEY].startswith("whyops.trace=order-7,whyops.span=")


def test_outside_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no client is open and nothing configured, a call is only made; the same where recording is switched off."""

    async def calls(session: Any) -> Any:
        return await recorded_session(session).call_tool("plain", {"sku": "lamp"})

    assert use(calls, trace_id=None).content[0].text == "lamp!"
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    assert use(calls).content[0].text == "lamp!"
    monkeypatch.delenv("WHYOPS_DISABLED")
    assert not whyops.load_traces()


@pytest.mark.parametrize("what", [object(), mcp.ClientSession, make_server])
def test_what_is_no_session(what: object) -> None:
    """Whatever has no async `call_tool` is refused, and a class, too."""
    with pytest.raises(TypeError, match="takes a session or client of the package mcp, not"):
        recorded_session(what)
