"""Many runs over one handler in 20 threads: each trace is right, and the memory is flat."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool as langchain_tool

import whyops
from tests.integrations.langchain.parts import Scripted, ask, calls
from whyops.events import Receipt
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import capture

THREADS = 20


@whyops.tool
def helper(order: str) -> str:
    return order


@langchain_tool
@whyops.tool
def find(order: str) -> str:
    """Find an order."""
    return helper(order)


def reply(messages: list[Any]) -> Any:
    last = messages[-1]
    return calls(("find", {"order": last.content})) if isinstance(last, HumanMessage) else f"found {last.content}"


def run_many(agent: Any, handler: WhyOpsCallbackHandler, numbers: Sequence[int]) -> None:
    def run(number: int) -> None:
        config: Any = {"callbacks": [handler], "configurable": {"thread_id": f"thread-{number}"}}
        assert agent.invoke(ask(str(number)), config)["messages"][-1].content == f"found {number}"

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, numbers))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [250, pytest.param(1000, marks=pytest.mark.soak)])
def test_so_many_runs_are_as_many_right_traces(handler, count):
    """Each run's trace holds its own question, choice, call, helper and answer, each under its right parent, and no other's."""
    with capture() as captured:
        run_many(create_agent(Scripted(reply=reply), [find]), handler, range(count))
        traces: dict[str, list[dict[str, Any]]] = {}
        for event in captured.events:
            traces.setdefault(event["traceId"], []).append(event)
    assert len(traces) == count
    for trace_id, events in traces.items():
        number = trace_id.removeprefix("thread-")
        asked, chose, request, inner, inner_response, response, answered = events
        assert asked["content"] == [{"role": "user", "content": number}]
        assert chose["content"]["toolCalls"][0]["function"]["arguments"] == f'{{"order": "{number}"}}'
        assert request["content"]["toolCalls"] == [{"name": "find", "arguments": {"order": number}}]
        assert inner["metadata"]["parentSpanId"] == request["spanId"] == response["spanId"]
        assert inner_response["spanId"] == inner["spanId"]
        assert answered["content"]["content"] == f"found {number}"


class Counting:
    """A sink that only counts."""

    def __init__(self) -> None:
        self.events = 0

    def send(self, lines: Sequence[bytes]) -> Receipt:
        self.events += len(lines)
        return Receipt(stored=len(lines))

    def close(self) -> None:
        """Keep nothing open."""


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.version_info < (3, 11), reason="one version is enough to see a leak")
def test_memory_is_flat_over_many_runs(handler):
    """After a warm-up, a thousand more runs leave no more memory in use, and no thread: the handler keeps nothing of a run that ended."""
    sink = Counting()
    numbers = itertools.count()
    agent = create_agent(Scripted(reply=reply), [find])
    with whyops.WhyOps(agent_name="soak", sink=sink, outbox="memory") as sdk:
        handler = WhyOpsCallbackHandler(sdk)

        def batch() -> int:
            run_many(agent, handler, [next(numbers) for _ in range(1000)])
            sdk.flush_sync()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        run_many(agent, handler, [next(numbers) for _ in range(300)])
        tracemalloc.start()
        try:
            first, second, third = batch(), batch(), batch()
        finally:
            tracemalloc.stop()
    assert third - first < 300_000, (first, second, third)
    assert threading.active_count() < THREADS
