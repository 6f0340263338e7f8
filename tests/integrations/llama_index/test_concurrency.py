"""Many runs at once over one instrumentation: each trace is right, and nothing is kept of them."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding, in_turn
from whyops.integrations.llama_index import _dispatch
from whyops.testing import Captured

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic's, in LlamaIndex's agents

THREADS = 10
TASKS = 5
INDEX = VectorStoreIndex(NODES, embed_model=embedding())


@whyops.tool
def double(number: int) -> int:
    """Double a number."""
    return whyops.tool(plus)(number, number)


def plus(a: int, b: int) -> int:
    return a + b


async def triple(number: int) -> int:
    """Triple a number."""
    await asyncio.sleep(0.001)
    return 3 * number


async def one_run(number: int) -> None:
    """Ask an agent that calls two tools at once, then an engine, with numbers that no other run has."""
    llm = ScriptedLLM(script=in_turn(calls(("double", {"number": number}), ("triple", {"number": number})), f"Done {number}."))
    await FunctionAgent(tools=[double, triple], llm=llm).run(f"Number {number}.")
    engine = INDEX.as_query_engine(llm=ScriptedLLM(script=lambda _: f"Answer {number}."), streaming=True)
    response = await engine.aquery(f"Query {number}.")
    async for _ in response.async_response_gen():
        pass


def runs(numbers: range) -> None:
    """Make the runs, in threads with concurrent tasks in each."""

    async def some(first: int) -> None:
        await asyncio.gather(*[one_run(number) for number in range(first, min(first + TASKS, numbers.stop))])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda first: asyncio.run(some(first)), numbers[::TASKS]))


def check(events: list[dict[str, Any]], count: int) -> None:
    """Check that each trace holds what one run did, and nothing of another's."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        traces[event["traceId"]].append(event)
    assert len(traces) == 2 * count
    for trace in traces.values():
        asked = [event for event in trace if event["eventType"] == "user_message"]
        told = [[message["role"] for message in event["content"]] for event in asked]
        questions = [event["content"][-1]["content"] for event, roles in zip(asked, told, strict=True) if "tool" not in roles]
        text = questions[-1]
        assert len(questions) == (1 if "Number " in text else 2)  # a query's own, and what the model is asked
        assert [roles for roles in told if "tool" in roles] in ([], [["tool", "tool"]], [["tool"], ["tool"]])
        number = text.rpartition("umber ")[2].rstrip(".") if "Number " in text else text.rpartition("Query ")[2].split(".")[0]
        tools = sorted(event["metadata"]["tool"] for event in trace if event["eventType"] == "tool_call_response")
        assert tools == (["double", "plus", "triple"] if "Number " in text else ["VectorIndexRetriever"])
        last = [event for event in trace if event["eventType"] == "llm_response"][-1]
        assert last["content"]["content"] in {f"Done {number}.", f"Answer {number}."}
        results = {event["metadata"]["tool"]: event["content"]["toolResults"] for event in trace if "toolResults" in event["content"]}
        if "double" in results:
            assert results["double"] == {"result": 2 * int(number)}
            assert results["triple"] == {"result": 3 * int(number)}


def test_runs_in_threads_and_tasks_are_kept_apart(captured: Captured) -> None:
    """A trace for each run and each query, with its own numbers."""
    runs(range(50))
    check(captured.events, 50)


@pytest.mark.soak
def test_500_runs_leave_nothing_behind(captured: Captured) -> None:
    """The table of what is open is empty, and as many of this package's objects are alive as after the first runs."""
    runs(range(100))
    captured.client.flush_sync()
    before = _alive()
    runs(range(100, 600))
    check(captured.events, 600)
    assert len(_dispatch._spans) == 0
    assert _alive() - before <= Counter()


def _alive() -> Counter[str]:
    """Count our objects by type."""
    gc.collect()
    kinds = (type(found) for found in gc.get_objects())
    return Counter(kind.__qualname__ for kind in kinds if str(kind.__module__).startswith("whyops."))
