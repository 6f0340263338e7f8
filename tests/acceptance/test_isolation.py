"""No event under another's trace, user or account, however many threads, tasks and clients there are."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import whyops
from tests.server import StrictServer


@whyops.tool
def look_up(run: str, number: int) -> dict[str, Any]:
    """Answer with what was asked, so that a crossed pair shows."""
    return {"run": run, "number": number}


@whyops.tool
async def look_up_later(run: str, number: int) -> dict[str, Any]:
    """Do the same with a pause in the middle, in which other tasks run, and a nested tool."""
    await asyncio.sleep(0)
    found = look_up(run, number)
    await asyncio.sleep(0)
    return {**found, "later": True}


def check_calls(events: list[dict[str, Any]], run: str, calls: int) -> None:
    """Check one trace: each event its own run's and user's, each request with its one response."""
    assert {event["externalUserId"] for event in events} == {f"user of {run}"}
    spans = defaultdict(list)
    for event in events:
        if event["eventType"].startswith("tool_call"):
            spans[event["spanId"]].append(event)
            assert event["content"]["toolCalls"][0]["arguments"]["run"] == run
    assert len(spans) == calls
    for request, response in spans.values():
        assert (request["eventType"], response["eventType"]) == ("tool_call_request", "tool_call_response")
        assert request["content"]["toolCalls"] == response["content"]["toolCalls"]
        assert response["content"]["toolResults"]["number"] == request["content"]["toolCalls"][0]["arguments"]["number"]
        assert response["content"]["toolResults"]["run"] == run


def by_trace(server: StrictServer) -> dict[str, list[dict[str, Any]]]:
    """Give the stored events by trace, having checked that none was refused and none came twice."""
    assert {request.status for request in server.ingested} == {201}
    assert max(Counter(event["idempotencyKey"] for event in server.events).values()) == 1
    traces = defaultdict(list)
    for event in server.events:
        traces[event["traceId"]].append(event)
    return traces


def test_threads(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """100 threads with 50 tool calls each, every thread in its own trace: every event once, under its own trace and user."""

    def run_agent(thread: int) -> None:
        run = f"run-{thread}"
        with sdk.trace(run, external_user_id=f"user of {run}"):
            for number in range(50):
                assert look_up(run, number) == {"run": run, "number": number}

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(run_agent, range(100)))
    assert sdk.flush_sync().delivered == 10_000
    traces = by_trace(server)
    assert len(traces) == 100
    for run, events in traces.items():
        assert len(events) == 100
        check_calls(events, run, 50)
        numbers = [event["content"]["toolCalls"][0]["arguments"]["number"] for event in events]
        assert numbers == [number for number in range(50) for _ in "qa"]


def test_tasks(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """1,000 concurrent tasks, each in its own trace, with nested tools: every event once, under its own trace and user."""

    async def run_agent(task: int) -> None:
        run = f"run-{task}"
        async with whyops.trace(run, external_user_id=f"user of {run}") as trace:
            await trace.user_message([{"role": "user", "content": run}])
            await asyncio.sleep(0)
            await asyncio.gather(look_up_later(run, 1), look_up_later(run, 2))
            await trace.llm_response("m", "p", run)

    async def run_all() -> None:
        await asyncio.gather(*(run_agent(task) for task in range(1000)))
        assert (await sdk.flush()).delivered == 10_000

    asyncio.run(run_all())
    traces = by_trace(server)
    assert len(traces) == 1000
    for run, events in traces.items():
        assert len(events) == 10
        check_calls(events, run, 4)
        assert events[0]["content"] == [{"role": "user", "content": run}]
        assert events[-1]["content"] == {"content": run}
        outer = {event["spanId"] for event in events if event.get("metadata", {}).get("tool") == "look_up_later"}
        parents = {event["metadata"]["parentSpanId"] for event in events if event.get("metadata", {}).get("tool") == "look_up"}
        assert parents == outer


def test_one_trace_shared(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """One trace object entered by many threads and tasks at once: all events are its own, and its times never run backwards."""
    shared = sdk.trace("shared", external_user_id="user of shared")

    def run_agent(thread: int) -> None:
        with shared:
            for number in range(20):
                look_up("shared", 100 * thread + number)
        assert whyops.current_trace() is None

    async def run_tasks() -> None:
        async def run_task(task: int) -> None:
            async with shared:
                await look_up_later("shared", 10_000 + task)

        await asyncio.gather(*(run_task(task) for task in range(100)))

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(run_agent, range(20)))
    asyncio.run(run_tasks())
    sdk.flush_sync()
    traces = by_trace(server)
    assert list(traces) == ["shared"]
    check_calls(traces["shared"], "shared", 600)


def test_two_accounts() -> None:
    """Two clients with two keys in one process: no event of one reaches the other's account, not even where their traces nest."""
    with StrictServer(accounts={"whyops_one": "one", "whyops_two": "two"}) as server:
        clients = {
            name: whyops.WhyOps(f"whyops_{name}", "agent", {"systemPrompt": name}, server.proxy_url, server.url) for name in ("one", "two")
        }

        def run_agent(number: int) -> None:
            mine, other = ("one", "two") if number % 2 else ("two", "one")
            with clients[mine].trace(f"{mine}-{number}", external_user_id=mine) as trace:
                look_up(mine, 1)
                with clients[other].trace(f"{other}-inside-{number}", external_user_id=other):
                    look_up(other, 2)
                    trace.llm_thinking_sync(mine)
                look_up(mine, 3)

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(run_agent, range(100)))
        for client in clients.values():
            assert client.close_sync().waiting == 0
        by_trace(server)
        assert len(server.events) == 700
        for request in server.ingested:
            name = (request.key or "").removeprefix("whyops_")
            for event in request.events:
                assert event["traceId"].startswith(name)
                assert event["externalUserId"] == name
        for request in server.inits:
            assert request.key == f"whyops_{request.json()['metadata']['systemPrompt']}"


def test_the_same_trace_id_at_two_clients() -> None:
    """Two clients of one key and two agents: a tool goes to the client whose trace is current, whatever the ids are called."""
    with StrictServer() as server:
        first = whyops.WhyOps("whyops_test", "first", None, server.proxy_url, server.url)
        second = whyops.WhyOps("whyops_test", "second", None, server.proxy_url, server.url)
        with first.trace("outer", external_user_id="user of outer"):
            with second.trace("inner", external_user_id="user of inner"):
                look_up("inner", 1)
            look_up("outer", 2)
        first.close_sync()
        second.close_sync()
        traces = by_trace(server)
        assert {(event["traceId"], event["agentName"]) for event in server.events} == {("outer", "first"), ("inner", "second")}
        for run, events in traces.items():
            check_calls(events, run, 1)
