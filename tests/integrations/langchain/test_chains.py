"""`record_steps=True`: each node of a graph is a span, and what runs in it stands below it."""

# ruff: noqa: ARG005  (LangGraph says what a node takes)

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

import whyops
from tests.integrations.langchain.parts import Scripted, also_async, ask, calls, hands_config_on, only, types
from whyops._trace.steps import LLMResponse
from whyops.integrations.langchain import WhyOpsCallbackHandler, instrument
from whyops.testing import Captured, capture


@whyops.tool
def helper(amount: int) -> int:
    return amount + 1


@tool
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {helper(amount)}"


class Count(TypedDict):
    """A state without messages."""

    number: int


def steps(captured: Captured) -> list[dict[str, Any]]:
    """Return the requests of the steps, after a check that each has a response."""
    asked = [event for event in captured.of_type("tool_call_request") if event["metadata"].get("stands_for") == "step"]
    ended = [event["spanId"] for event in captured.of_type("tool_call_response") if event["metadata"].get("stands_for") == "step"]
    assert sorted(ended) == sorted(event["spanId"] for event in asked)
    return asked


def names(captured: Captured) -> list[str]:
    return [event["content"]["name"] for event in steps(captured)]


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_each_node_is_a_span_with_what_runs_in_it(captured, call):
    """Model, tool and decorated function hang below their node; the tree has no gap, and counts no node as a tool's call."""
    runnable = create_agent(Scripted(answers=[calls(("pay", {"amount": 1})), "Done."]), [pay])
    config: Any = {"callbacks": [WhyOpsCallbackHandler(record_steps=True)]}
    runnable.invoke(ask(), config) if call == "invoke" else asyncio.run(runnable.ainvoke(ask(), config))
    asked = steps(captured)
    assert names(captured) == ["model", "tools", "model"]
    inner = {event["metadata"]["parentSpanId"] for event in captured.of_type("llm_response")}
    assert inner == {asked[0]["spanId"], asked[2]["spanId"]}
    paid = next(event for event in captured.of_type("tool_call_request") if event["content"]["name"] == "pay")
    assert paid["metadata"]["parentSpanId"] == asked[1]["spanId"]
    assert "stands_for" not in paid["metadata"]
    trace = whyops.RecordedTrace.from_events(captured.events)
    assert [call.name for call in trace.calls] == ["pay", "helper"]
    assert trace.totals.calls == 2
    assert all(not step.not_called for step in trace.walk() if isinstance(step, LLMResponse))
    first = next(event for event in captured.of_type("tool_call_response") if event["spanId"] == asked[0]["spanId"])
    gave = first["content"]["toolResults"]
    (message,) = gave.get("update", gave)["messages"]  # newer versions give a Command
    assert message["tool_calls"] == [{"name": "pay", "args": {"amount": 1}, "id": "call-pay-0"}]
    assert asked[0]["content"]["toolCalls"][0]["arguments"] == {"messages": [{"role": "user", "content": "Hello"}]}


def test_it_is_off_by_default(captured, handler):
    """A node costs no span unless somebody asks for it: by the handler, by `instrument`, by the client."""
    graph = StateGraph(Count)
    graph.add_node("work", lambda state: {"number": helper(state["number"])})
    graph.add_edge(START, "work")
    runnable = graph.compile()
    runnable.invoke({"number": 1}, {"callbacks": [handler]})
    assert steps(captured) == []
    with instrument(record_steps=True), whyops.trace("t"):
        runnable.invoke({"number": 1})
    assert names(captured) == ["work"]
    with capture(record_steps=True) as asked:
        runnable.invoke({"number": 1}, {"callbacks": [handler]})
        runnable.invoke({"number": 1}, {"callbacks": [WhyOpsCallbackHandler(record_steps=False)]})
    assert names(asked) == ["work"]


def test_a_node_in_a_graph_in_a_node(captured):
    """Each is below the one around it; a chain in a node is no node, also where it has its name."""
    inner = StateGraph(Count)
    inner.add_node("work", RunnableLambda(lambda state: {"number": state["number"] + 1}, name="work") | (lambda state: state))
    inner.add_edge(START, "work")
    inner.add_conditional_edges("work", lambda state: "__end__")
    outer = StateGraph(Count)
    outer.add_node("work", inner.compile())
    outer.add_edge(START, "work")
    outer.compile().invoke({"number": 1}, {"callbacks": [WhyOpsCallbackHandler(record_steps=True)]})
    run = captured.events[0]
    assert run["metadata"]["stands_for"] == "run"
    around, within = steps(captured)
    assert around["metadata"]["parentSpanId"] == run["spanId"]
    assert within["metadata"]["parentSpanId"] == around["spanId"]
    assert within["metadata"]["langgraph_subgraph"] == "work"


def test_tasks_of_the_functional_api(captured):
    """Are steps in their entrypoint, which is one in the run."""

    @task
    def double(number: int) -> int:
        return number * 2

    @entrypoint()
    def flow(number: int) -> int:
        return double(number).result() + 1

    flow.invoke(3, {"callbacks": [WhyOpsCallbackHandler(record_steps=True)]})
    assert names(captured) == ["flow", "double"]
    results = {event["content"]["name"]: event["content"]["toolResults"] for event in captured.of_type("tool_call_response")}
    assert results == {"flow": {"result": 7}, "double": {"result": 6}}


def test_a_node_that_fails_and_one_that_is_interrupted(captured):
    """The error stands in the step and is one error; an interrupt closes its step as interrupted, with its question in it."""

    def fails(state: Any) -> Any:
        raise ValueError("too small")

    handler = WhyOpsCallbackHandler(record_steps=True)
    for node in (fails, lambda state: interrupt("How many?")):
        graph = StateGraph(Count)
        graph.add_node("work", node)
        graph.add_edge(START, "work")
        runnable = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"callbacks": [handler], "configurable": {"thread_id": node.__name__}}
        if node is fails:
            with pytest.raises(ValueError, match="too small"):
                runnable.invoke({"number": 1}, config)
        else:
            runnable.invoke({"number": 1}, config)
    failed, halted = steps(captured)
    assert only(captured, "error")["spanId"] == failed["spanId"]
    assert only(captured, "tool_result")["metadata"]["parentSpanId"] == halted["spanId"]
    ended = {event["spanId"]: event["content"]["toolResults"] for event in captured.of_type("tool_call_response")}
    assert ended[failed["spanId"]] == {"error": "ValueError: too small"}
    assert ended[halted["spanId"]] == {"interrupted": "GraphInterrupt"}
    assert whyops.RecordedTrace.from_events(captured.events).totals.errors == 1


@hands_config_on
def test_a_node_that_is_cancelled(captured):
    """Its step is closed as interrupted."""

    async def waits(state: Any) -> Any:
        await asyncio.sleep(30)

    graph = StateGraph(Count)
    graph.add_node("work", waits)
    graph.add_edge(START, "work")

    async def main() -> None:
        running = graph.compile().ainvoke({"number": 1}, {"callbacks": [WhyOpsCallbackHandler(record_steps=True)]})
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(running, 0.1)

    asyncio.run(main())
    assert [event["content"]["toolResults"] for event in captured.of_type("tool_call_response")] == [{"interrupted": "CancelledError"}] * 2


def test_what_a_node_hands_on(captured):
    """Of a Command, where to, and what it updates."""
    graph = StateGraph(Count)
    graph.add_node("work", lambda state: Command(goto="more", update={"number": 2}))
    graph.add_node("more", lambda state: None)
    graph.add_edge(START, "work")
    graph.compile().invoke({"number": 1}, {"callbacks": [WhyOpsCallbackHandler(record_steps=True)]})
    gave = [event["content"]["toolResults"] for event in captured.of_type("tool_call_response")]
    assert gave == [{"goto": "more", "update": {"number": 2}}, {"result": None}, {"number": 2}]
    assert types(captured).count("tool_call_request") == 3
