"""`record()`: all that happens in the block, whatever client is in use, and nothing of another block."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import whyops
from tests.server import StrictServer
from whyops.testing import Run, record


@whyops.tool
def search(q: object) -> object:
    return q


@whyops.tool
async def look(q: object) -> object:
    await asyncio.sleep(0)
    return search(q)


def test_a_tool_outside_any_trace() -> None:
    """It is recorded as well: a unit test of a tool needs no trace."""
    with record() as run:
        search(1)
    run.calls("search").once().with_arguments(q=1).returning(1)


def test_whatever_client(tmp_path: Path) -> None:
    """A client that your program made records there too; nothing is sent or stored."""
    with StrictServer() as server:
        sdk = whyops.WhyOps(
            api_key="whyops_" + "k" * 20, agent_name="a", analyse_base_url=server.url, proxy_base_url=server.url, home=tmp_path
        )
        with record() as run:
            with sdk.trace("session-1"):
                search(1)
            whyops.trace("session-2").user_message_sync([{"role": "user", "content": "Hi"}])
        assert sdk.flush_sync().delivered == 0
        assert not list(tmp_path.rglob("*.lines"))
        assert [trace.trace_id for trace in run.traces] == ["session-1", "session-2"]
        with sdk.trace("session-3"):
            search(2)
        sdk.close_sync()
        assert {event["traceId"] for event in server.events} == {"session-3"}
    run.calls("search").once()


def test_while_it_goes_on() -> None:
    """Each look gives what there is by then."""
    with record() as run:
        assert len(run.calls()) == 0
        search(1)
        assert len(run.calls()) == 1
        search(2)
        assert len(run.calls("search")) == 2
    assert len(run.events) == 4


def test_threads_count() -> None:
    """What threads do that know nothing of the block's context is in it."""
    with record() as run:
        with ThreadPoolExecutor() as pool:
            list(pool.map(search, range(3)))
        thread = threading.Thread(target=search, args=(3,))
        thread.start()
        thread.join()
    run.calls("search").times(4)


def test_async() -> None:
    """It is an async context manager, too."""

    async def main() -> Run:
        async with record() as run:
            await look(1)
        return run

    asyncio.run(main()).called_in_order("look", "search").no_errors()


@pytest.mark.parametrize("number", [2, 5])
def test_two_at_once_in_tasks(number: int) -> None:
    """Each has what its own task does, and what that starts."""

    async def one(own: int) -> tuple[int, list[object]]:
        async with record() as run:
            for _ in range(5):
                await asyncio.gather(look(own), asyncio.to_thread(search, own))
        return own, [call.arguments for call in run.calls()]

    async def main() -> list[tuple[int, list[object]]]:
        return await asyncio.gather(*map(one, range(number)))

    for own, arguments in asyncio.run(main()):
        assert arguments == [{"q": own}] * 15


def test_one_in_another() -> None:
    """The inner one has what happens in it, the outer one the rest."""
    with record() as outer:
        search(1)
        with record() as inner:
            search(2)
        search(3)
    inner.calls().once().with_arguments(q=2)
    outer.calls().times(2)


def test_an_exception_passes_and_leaves_nothing_behind() -> None:
    """What was recorded until then is there, and the next block has none of it."""
    with pytest.raises(KeyError), record() as run:
        {}[search(1)]
    run.calls("search").once()
    with record() as other:
        search(2)
    other.calls().once().with_arguments(q=2)


def test_settings() -> None:
    """Those of a client; but where to send is not for a test to say."""
    with record(redact_keys=["q"], agent_name="mine") as run:
        search({"q": "a value"})
    assert "a value" not in str(run.events)
    assert run.trace.agent_name == "mine"
    with pytest.raises(TypeError, match="takes no api_key"):
        record(api_key="k")
