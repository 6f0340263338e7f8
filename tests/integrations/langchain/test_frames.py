"""What is current after a run of LangChain is what was before it, wherever its end is told."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter

import pytest
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_core.tools import tool as langchain_tool
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import whyops
from whyops._recording import context
from whyops.integrations.langchain import instrument


class State(TypedDict):
    number: int


@whyops.tool
def helper(number: int = 1) -> int:
    return number


async def answer(number: int) -> int:
    return helper(number)


async def pieces(number: int):
    yield helper(number)
    yield helper(number)


@langchain_tool
async def find(number: int) -> int:
    """Find."""
    return helper(number)


def _graph():
    graph = StateGraph(State)
    graph.add_node("node", lambda state: {"number": helper(state["number"])})
    graph.add_edge(START, "node")
    return graph.compile()


GRAPH = _graph()


async def read(stream, most=None):
    """Read a stream, or leave it by `break`."""
    read_so_far = 0
    async for _ in stream:
        read_so_far += 1
        if read_so_far == most:
            break


WAYS = {
    "ainvoke": lambda config: RunnableLambda(answer).ainvoke(1, config),
    "abatch": lambda config: RunnableLambda(answer).abatch([1, 1], config),
    "astream": lambda config: read(RunnableLambda(pieces).astream(1, config)),
    "astream, break": lambda config: read(RunnableLambda(pieces).astream(1, config), most=1),
    "tool": lambda config: find.ainvoke({"number": 1}, config),
    "graph": lambda config: GRAPH.ainvoke({"number": 1}, config),
    "graph, astream": lambda config: read(GRAPH.astream({"number": 1}, config)),
    "graph, break": lambda config: read(GRAPH.astream({"number": 1}, config), most=1),
    "graph, thread": lambda config: asyncio.to_thread(GRAPH.invoke, {"number": 1}, config),
}


@whyops.tool
async def in_tool(way, config):
    await WAYS[way](config)


@pytest.mark.parametrize("how", ["handler", "instrument"])
@pytest.mark.parametrize("way", WAYS)
def test_after_a_block_and_a_tool_nothing_of_the_run_is_current(captured, handler, way, how):
    """After a block or a tool in which a run was awaited, what was before is current: calls are in no ended trace, under no ended tool."""
    config = {"callbacks": [handler]} if how == "handler" else {}

    async def main() -> None:
        with whyops.trace("outer") as outer:
            with whyops.trace("block"):
                await WAYS[way](config)
                helper(2)
            assert whyops.current_trace() is outer
            await in_tool(way, config)
            helper(3)
        assert context.current.get() is None

    if how == "instrument":
        with instrument():
            asyncio.run(main())
    else:
        asyncio.run(main())
    requests = captured.of_type("tool_call_request")
    numbers = {event["content"]["toolCalls"][0]["arguments"].get("number"): event for event in requests}
    assert {number: numbers[number]["traceId"] for number in (2, 3)} == {2: "block", 3: "outer"}
    assert "parentSpanId" not in numbers[3]["metadata"]


def frames() -> Counter[str]:
    """Count the frames that anything refers to, those of other tests too."""
    gc.collect()
    return Counter(type(found).__name__ for found in gc.get_objects() if isinstance(found, context.Frame))


def test_no_frame_stays_after_many_blocks(captured, handler):
    """In one task that goes on, nothing of the traces and frames of hundreds of blocks, tools and streams is kept."""
    traces = []
    before = frames()

    async def main() -> None:
        for number in range(300):
            with whyops.trace(f"user-{number}") as trace:
                traces.append(weakref.ref(trace))
                del trace
                await RunnableLambda(answer).ainvoke(1, {"callbacks": [handler]})
                await read(RunnableLambda(pieces).astream(1, {"callbacks": [handler]}), most=1)
            assert context.current.get() is None
        await asyncio.sleep(0.1)

    asyncio.run(main())
    gc.collect()
    assert sum(trace() is not None for trace in traces) <= 1  # the last one, in what the test still refers to
    assert (frames() - before).total() <= 2


def test_a_stream_that_an_error_leaves_in_a_graph_is_not_kept(captured, handler):
    """What a node began to read and left by an exception can be collected with the exception: nothing that is recorded refers to it."""

    def node(state: State) -> State:
        stream = RunnableGenerator(parts).stream(1, {"callbacks": [handler]})
        if next(stream):
            raise LookupError
        return state

    def parts(_):
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    closed = []
    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    with whyops.trace("block"), pytest.raises(LookupError):
        graph.compile().invoke({"number": 1}, {"callbacks": [handler]})
    gc.collect()
    assert closed


def test_a_stream_that_is_open_when_its_block_ends(captured, handler):
    """A stream of LangChain's that outlives the block it was begun in leaves nothing current, and is read on in its trace."""

    def parts(numbers):
        for number in numbers:
            for _ in range(3):
                helper(number)
                yield number

    with whyops.trace("block"):
        stream = RunnableGenerator(parts).stream(1, {"callbacks": [handler]})
        next(stream)
    assert whyops.current_trace() is None
    helper(2)
    next(stream)
    stream.close()
    assert whyops.current_trace() is None
    traces = [
        (event["content"]["toolCalls"][0]["arguments"]["number"], event["traceId"]) for event in captured.of_type("tool_call_request")
    ]
    assert [trace for number, trace in traces if number == 1] == ["block", "block"]
    assert [trace == "block" for number, trace in traces if number == 2] == [False]


def test_a_run_that_is_not_recorded_in_the_pause_of_a_stream(captured, handler):
    """What a consumer runs between two chunks without the handler is not in the stream's run."""

    def parts(number):
        yield number
        yield number

    with whyops.trace("outer") as outer:
        for _ in RunnableLambda(parts).stream(1, {"callbacks": [handler], "metadata": {}}):
            RunnableLambda(lambda _: helper(2)).invoke(1)
            assert whyops.current_trace() is outer
    for _ in RunnableLambda(parts).stream(1, {"callbacks": [handler]}):
        assert RunnableLambda(lambda _: whyops.current_trace()).invoke(1) is None


def test_what_a_body_has_started_goes_on_in_its_run(captured, handler):
    """A task that a run's body starts, and does not wait for, is recorded where it was started, also after the run's end."""
    ended = []

    async def main() -> None:
        go = asyncio.Event()
        tasks = []

        async def later() -> None:
            await go.wait()
            helper(5)

        @langchain_tool
        async def starts(number: int) -> int:
            """Start something."""
            tasks.append(asyncio.create_task(later()))
            return helper(number)

        await starts.ainvoke({"number": 4}, {"callbacks": [handler]})
        assert whyops.current_trace() is None
        go.set()
        await asyncio.gather(*tasks)
        ended.append(True)

    asyncio.run(main())
    requests = {event["content"]["toolCalls"][0]["name"]: event for event in captured.of_type("tool_call_request")}
    spans = [event for event in captured.of_type("tool_call_request") if event["metadata"]["tool"] == "helper"]
    assert [event["traceId"] for event in spans] == [requests["starts"]["traceId"]] * 2
    assert [event["metadata"]["parentSpanId"] for event in spans] == [requests["starts"]["spanId"]] * 2
    assert ended


def test_a_block_in_a_body_holds_for_the_runs_inside(captured, handler):
    """In a block that a run's body opens, another run is recorded in the block's trace, and so is what that calls."""

    def body(_: int) -> None:
        with whyops.trace("inner"):
            RunnableLambda(helper).invoke(2, {"callbacks": [handler]})
        RunnableLambda(helper).invoke(3, {"callbacks": [handler]})

    with whyops.trace("outer"):
        RunnableLambda(body).invoke(1, {"callbacks": [handler]})
    traces = {event["content"]["toolCalls"][0]["arguments"]["number"]: event["traceId"] for event in captured.of_type("tool_call_request")}
    assert traces == {2: "inner", 3: "outer"}
