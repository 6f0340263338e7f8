"""`flush_at_trace_end`: where the host freezes the process once the work is done, the end of a trace waits for delivery."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

import whyops
from tests.interpreter import run_with_service
from tests.server import StrictServer

FROZEN = """
import asyncio, os, signal, sys
import whyops

@whyops.tool
def double(number):
    return 2 * number

def handle():
    with whyops.trace() as trace:
        trace.error_sync("x")
        double(2)

async def handle_in_coroutine():
    handle()
    freeze()

async def handle_later():
    async with whyops.trace() as trace:
        await trace.error("x")
        double(2)
    freeze()

async def handle_in_thread():
    await asyncio.to_thread(handle)
    freeze()

def freeze():
    os.kill(os.getpid(), signal.SIGKILL)

"""
WAYS = {
    "plain": "handle(); freeze()",
    "in a coroutine": "asyncio.run(handle_in_coroutine())",
    "async": "asyncio.run(handle_later())",
    "in a thread": "asyncio.run(handle_in_thread())",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("settings", [{"WHYOPS_FLUSH_AT_TRACE_END": "1"}, {"AWS_LAMBDA_FUNCTION_NAME": "f", "WHYOPS_HOME": "/proc/whyops"}])
def test_all_is_delivered_before_the_host_freezes(server: StrictServer, tmp_path: Path, way: str, settings: dict[str, str]) -> None:
    """Whichever way the block is written; of the one that blocks the event loop it is said how it is written better."""
    done = run_with_service(server, FROZEN + WAYS[way], tmp_path, **settings)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(server.events) == 3
    assert ("use `async with`" in done.stderr) == (way == "in a coroutine")


@pytest.fixture
def client(server: StrictServer) -> Callable[..., whyops.WhyOps]:
    def made(exit_timeout: float | None = None) -> whyops.WhyOps:
        return whyops.WhyOps("whyops_test", "agent", None, server.proxy_url, server.url, flush_at_trace_end=True, exit_timeout=exit_timeout)

    return made


Client = Callable[..., whyops.WhyOps]


def test_only_the_outermost_block_waits(server: StrictServer, client: Client) -> None:
    """What is nested in it is delivered with it, in one request."""
    sdk = client()
    with sdk.trace("outer") as outer:
        for name in "abc":
            with sdk.trace(name) as inner:
                inner.error_sync("x")
        outer.error_sync("y")
    assert len(server.events) == 4
    assert len(server.ingested) <= 2  # one more, if the machine made a pause in here


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_exception_goes_on(server: StrictServer, client: Client, kind: type[BaseException]) -> None:
    """After the wait, and it is the same one."""
    error = kind("x")

    def fail() -> None:
        with client().trace("t") as trace:
            trace.error_sync("x")
            raise error

    with pytest.raises(kind) as raised:
        fail()
    assert raised.value is error
    assert server.events


def test_a_dead_service_costs_one_wait(server: StrictServer, client: Client) -> None:
    """Within `exit_timeout`; those that follow don't wait, and so not each of many, until something gets through again."""
    sdk = client(exit_timeout=0.3)
    server.stop()
    started = time.monotonic()
    for number in range(200):
        with sdk.trace(f"{number}") as trace:
            trace.error_sync("x")
    assert time.monotonic() - started < 10
    assert sdk.flush_sync(0).waiting == 200
    server.start()
    assert sdk.flush_sync(40).delivered == 200
    with sdk.trace("after") as trace:
        trace.error_sync("x")
    assert len(server.events) == 201


def test_a_service_that_hangs_costs_one_wait(server: StrictServer, client: Client) -> None:
    """Though nothing has failed yet."""
    sdk = client(exit_timeout=0.3)
    server.hang()
    started = time.monotonic()

    async def main() -> None:
        for number in range(200):
            async with sdk.trace(f"{number}") as trace:
                await trace.error("x")

    asyncio.run(main())
    assert time.monotonic() - started < 10
    server.clear()


def test_an_async_block_leaves_the_loop_to_others(server: StrictServer, client: Client) -> None:
    """While it waits, other tasks run."""
    sdk = client()
    server.slow(0.5)
    turns = 0

    async def main() -> None:
        nonlocal turns

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        task = asyncio.create_task(others())
        async with sdk.trace("t") as trace:
            await trace.error("x")
        task.cancel()

    asyncio.run(main())
    assert turns > 5
    assert len(server.events) == 1


def test_a_cancelled_wait_is_left(server: StrictServer, client: Client) -> None:
    """Whoever cancels the task is not held up, and the events arrive later."""
    sdk = client()
    server.slow(1)

    async def block() -> None:
        async with sdk.trace("t") as trace:
            await trace.error("x")

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(block(), 0.2)

    asyncio.run(main())
    assert sdk.flush_sync().delivered == 1


def test_trio_waits_too(server: StrictServer, client: Client) -> None:
    """Under another library than asyncio the thread waits."""
    sdk = client()

    async def main() -> None:
        async with sdk.trace("t") as trace:
            await trace.error("x")
        assert len(server.events) == 1
        assert (await sdk.flush()).delivered == 1

    trio.run(main)
