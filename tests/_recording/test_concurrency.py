"""Traces and spans under trio, anyio and gevent: each task and each greenlet has its own."""

from __future__ import annotations

import pytest

import whyops
from tests._recording.recording import Recording
from whyops._recording.tool import tool


def check_three_runs(recording: Recording) -> None:
    """Check three traces of two nested calls each: nothing under another's trace, each child under its parent."""
    for number in range(3):
        events = [event for event in recording.events if event["traceId"] == str(number)]
        requests = [event for event in events if event["eventType"] == "tool_call_request"]
        assert len(events) == 4
        assert [request["content"]["toolCalls"][0]["arguments"]["n"] for request in requests] == [number, number]
        assert requests[1]["metadata"]["parentSpanId"] == requests[0]["spanId"]
    assert whyops.current_trace() is None


def test_trio_tasks():
    """Under trio each task keeps its trace and span across its checkpoints."""
    trio = pytest.importorskip("trio")
    recording = Recording()

    @tool
    async def inner(n):
        await trio.sleep(0)
        return n

    @tool
    async def outer(n):
        await trio.sleep(0.001 * (3 - n))
        return await inner(n)

    async def run(n):
        async with recording.trace(str(n)):
            assert await outer(n) == n

    async def main():
        async with trio.open_nursery() as nursery:
            for n in range(3):
                nursery.start_soon(run, n)

    trio.run(main)
    check_three_runs(recording)


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
def test_trio_closes_an_async_generator_that_was_left():
    """A generator left open is closed once, by trio, which warns of it as it does without the decorator."""
    trio = pytest.importorskip("trio")
    recording = Recording()
    closed = []

    @tool
    async def stream():
        try:
            while True:
                yield 1
        finally:
            closed.append(1)

    async def main():
        async with recording.trace("t"):
            async for _ in stream():
                break

    trio.run(main)
    assert closed == [1]
    assert len(recording.of_type("tool_call_response")) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_task_groups_and_threads(backend):
    """The task groups of anyio and its worker threads hand the trace down."""
    anyio = pytest.importorskip("anyio")
    pytest.importorskip("trio")
    recording = Recording()

    @tool
    def inner(n):
        return n

    @tool
    async def outer(n):
        await anyio.sleep(0)
        return await anyio.to_thread.run_sync(inner, n)

    async def run(n):
        with recording.trace(str(n)):
            await outer(n)

    async def main():
        async with anyio.create_task_group() as group:
            for n in range(3):
                group.start_soon(run, n)

    anyio.run(main, backend=backend)
    check_three_runs(recording)


def test_a_cancel_scope_closes_the_span_and_is_no_error():
    """A call that trio cancels has its response, and no error is recorded."""
    trio = pytest.importorskip("trio")
    recording = Recording()

    @tool
    async def wait():
        await trio.sleep(10)

    async def main():
        with recording.trace("t"), trio.move_on_after(0.01):
            await wait()

    trio.run(main)
    assert recording.only("tool_call_response")["metadata"]["interrupted"] == "Cancelled"
    assert not recording.of_type("error")


def test_gevent_greenlets():
    """Greenlets that switch in the middle of a call each keep their trace and span."""
    gevent = pytest.importorskip("gevent")
    recording = Recording()

    @tool
    def inner(n):
        gevent.sleep(0)
        return n

    @tool
    def outer(n):
        gevent.sleep(0.001 * (3 - n))
        return inner(n)

    def run(n):
        with recording.trace(str(n)):
            assert outer(n) == n

    gevent.joinall([gevent.spawn(run, n) for n in range(3)], raise_error=True)
    check_three_runs(recording)
