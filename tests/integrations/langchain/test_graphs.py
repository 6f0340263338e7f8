"""Agents and graphs: LangGraph's runs, told by their metadata and by the class of what they steer with."""

# ruff: noqa: ARG002  (LangChain says what a model's methods take)

from __future__ import annotations

import asyncio
import operator
import subprocess
import sys
import warnings
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId
from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime
from langgraph.types import Command, Send, interrupt

import whyops
from tests.integrations.langchain.parts import Scripted, Streaming, also_async, ask, calls, hands_config_on, only, tool_spans, types
from whyops._recording import context

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langgraph.prebuilt import create_react_agent


@whyops.tool
def helper(number: int) -> int:
    return number + 1


@langchain_tool
@whyops.tool
def find(order: str) -> int:
    """Find an order."""
    return helper(int(order))


@langchain_tool
async def find_async(order: str) -> int:
    """Find an order."""
    await asyncio.sleep(0)
    return helper(int(order))


@langchain_tool
def broken(order: str) -> str:
    """Fail."""
    raise ValueError(f"no order {order}")


@langchain_tool
def approve(order: str) -> str:
    """Ask a human."""
    return f"{order}: {interrupt('Really?')}"


def script(*tools: tuple[str, dict[str, Any]]) -> list[AIMessage]:
    return [calls(*tools), AIMessage("Done.")]


def agent(kind: str, model: Any, tools: list[Any], **options: Any) -> Any:
    if kind == "create_agent":
        return create_agent(model, tools, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_react_agent(model, tools, **options)


AGENTS = ["create_agent", "create_react_agent"]
ONE_RUN = ["user_message", "llm_response", "tool_call_request", "tool_call_response", "llm_response"]


def config(handler: Any, thread: str = "thread-1") -> Any:
    return {"callbacks": [handler], "configurable": {"thread_id": thread}}


def without_helpers(captured: Any) -> list[str]:
    """Return the types of the events that are not the helper's."""
    return [event["eventType"] for event in captured.events if event["metadata"].get("tool") != "helper"]


async def drain(stream: Any) -> None:
    async for _ in stream:
        assert context.top() is None


@pytest.mark.parametrize("how", also_async("invoke", "ainvoke", "stream", "astream", "messages", "events"))
@pytest.mark.parametrize("kind", AGENTS)
def test_the_whole_run_of_an_agent(captured, handler, kind, how):
    """Question, choice, tool, answer: in one trace, in order, with the thread's id, however the agent is run."""
    model = (Streaming if how in {"messages", "events"} else Scripted)(answers=script(("find", {"order": "1"})))
    runnable = agent(kind, model, [find])
    given = config(handler)
    if how == "invoke":
        runnable.invoke(ask(), given)
    elif how == "ainvoke":
        asyncio.run(runnable.ainvoke(ask(), given))
    elif how == "stream":
        for _ in runnable.stream(ask(), given):
            assert context.top() is None
    elif how == "astream":
        asyncio.run(drain(runnable.astream(ask(), given)))
    elif how == "messages":
        list(runnable.stream(ask(), given, stream_mode="messages"))
    else:
        asyncio.run(drain(runnable.astream_events(ask(), given, version="v2")))
    assert without_helpers(captured) == ONE_RUN
    assert {event["traceId"] for event in captured.events} == {"thread-1"}
    spans = tool_spans(captured)
    assert {name: len(ids) for name, ids in spans.items()} == {"find": 1, "helper": 1}
    request = captured.of_type("tool_call_request")
    assert request[1]["metadata"]["parentSpanId"] == spans["find"][0]
    assert request[0]["metadata"]["langgraph_node"] == "tools"
    assert request[0]["metadata"]["langgraph_step"] == 2
    assert request[0]["metadata"]["tool_call_id"] == "call-find-0"
    assert captured.events[0]["metadata"]["langgraph_node"] in {"model", "agent"}
    assert captured.events[0]["metadata"]["tools"] == [{"name": "find"}]


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_parallel_tools_have_a_span_each(captured, handler, call):
    """Tools that a node runs side by side are spans of their own, and each helper is the child of the tool that called it."""
    model = Scripted(
        answers=script(*[("find", {"order": str(n)}) for n in range(5)], *[("find_async", {"order": str(n)}) for n in range(5)])
    )
    runnable = create_agent(model, [find, find_async])
    if call == "invoke":
        model.answers[0] = calls(*[("find", {"order": str(n)}) for n in range(5)])
        runnable.invoke(ask(), config(handler))
    else:
        asyncio.run(runnable.ainvoke(ask(), config(handler)))
    requests = captured.of_type("tool_call_request")
    tools = {event["spanId"]: event for event in requests if event["metadata"]["tool"] != "helper"}
    helpers = [event for event in requests if event["metadata"]["tool"] == "helper"]
    assert len(tools) == len(helpers) == (5 if call == "invoke" else 10)
    for event in helpers:
        parent = tools[event["metadata"]["parentSpanId"]]
        assert parent["content"]["toolCalls"][0]["arguments"]["order"] == str(event["content"]["toolCalls"][0]["arguments"]["number"])
    assert len({event["metadata"]["parentSpanId"] for event in helpers}) == len(helpers)


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_an_interrupt_is_no_error_and_a_resume_goes_on_in_the_same_trace(captured, handler, call):
    """The span that is interrupted closes as such. Resumed under the same thread, the tool starts again in the same trace."""
    runnable = create_agent(Scripted(answers=script(("approve", {"order": "1"}))), [approve], checkpointer=InMemorySaver())

    def run(given: Any) -> Any:
        return runnable.invoke(given, config(handler)) if call == "invoke" else asyncio.run(runnable.ainvoke(given, config(handler)))

    assert "__interrupt__" in run(ask())
    run(Command(resume="yes"))
    question, reply = ["tool_result"], ["user_message"]
    call = ["tool_call_request", "tool_call_response"]
    assert types(captured) == [*ONE_RUN[:3], *question, "tool_call_response", *reply, *call, "llm_response"]
    asked, said = only(captured, "tool_result"), captured.of_type("user_message")[1]
    assert asked["content"] == {"name": "interrupt", "toolName": "interrupt", "output": "Really?"}
    assert asked["metadata"]["parentSpanId"] == captured.of_type("tool_call_request")[0]["spanId"]
    assert said["content"] == [{"role": "user", "content": "yes"}]
    assert said["metadata"]["event"] == "resume"
    assert {event["traceId"] for event in captured.events} == {"thread-1"}
    first, second = captured.of_type("tool_call_response")
    assert first["metadata"]["interrupted"] == "GraphInterrupt"
    assert "error" not in first["content"]["toolResults"]
    assert second["content"]["toolResults"] == {"result": "1: yes"}
    assert first["spanId"] != second["spanId"]


def test_an_interrupt_in_decorated_functions_and_in_a_node_is_no_error(captured, handler):
    """Wherever LangGraph's interrupt passes through, it is no error: in a `@whyops.tool` function, a node, a trace's block."""

    @whyops.tool
    def decide(order: str) -> str:
        return interrupt("Really?")

    graph = StateGraph(MessagesState)
    graph.add_node("decide", lambda _: {"messages": [AIMessage(decide("1"))]})
    graph.add_edge(START, "decide")
    runnable = graph.compile(checkpointer=InMemorySaver())
    with whyops.trace("open"):
        runnable.invoke(ask(), config(handler))
        runnable.invoke(Command(resume="yes"), config(handler))
    call = ["tool_call_request", "tool_call_response"]
    in_time = sorted(captured.events, key=lambda event: event["metadata"]["recordedAt"])
    told = [event["eventType"] for event in in_time]
    assert told == ["user_message", *call, "tool_result", "user_message", *call, "tool_result"]
    assert [event["content"]["output"] for event in captured.of_type("tool_result")] == ["Really?", "yes"]
    first, second = captured.of_type("tool_call_response")
    assert first["metadata"]["interrupted"] == "GraphInterrupt"
    assert second["content"]["toolResults"] == {"result": "yes"}
    assert {event["traceId"] for event in captured.events} == {"open"}


class GraphInterrupt(Exception):
    """The user's own error, which is called what LangGraph's interrupt is called."""


def test_control_flow_is_told_by_its_class_and_not_by_its_name(captured, handler):
    """An error of the user's own that has LangGraph's name is an error."""

    @langchain_tool
    def misleading(order: str) -> str:
        """Fail."""
        raise GraphInterrupt("a real failure")

    with pytest.raises(GraphInterrupt):
        create_agent(Scripted(answers=script(("misleading", {"order": "1"}))), [misleading]).invoke(ask(), config(handler))
    assert only(captured, "error")["content"]["message"] == "a real failure"


def test_a_command_to_the_parent_graph_is_no_error(captured, handler):
    """A tool that hands over to another agent ends normally; the exception that LangGraph hands over with is no error."""

    @langchain_tool
    def hand_over(call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over."""
        update = {"messages": [ToolMessage("handed over", tool_call_id=call_id)]}
        return Command(goto="second", graph=Command.PARENT, update=update)

    first = create_agent(Scripted(answers=[calls(("hand_over", {}))]), [hand_over], name="first")
    graph = StateGraph(MessagesState)
    graph.add_node("first", first)
    graph.add_node("second", lambda _: {"messages": [AIMessage("mine")]})
    graph.add_edge(START, "first")
    graph.compile().invoke(ask(), config(handler))
    assert types(captured) == [*ONE_RUN[:4], "tool_result"]
    assert captured.events[4]["content"] == {"name": "second", "toolName": "second", "output": "mine"}
    gave = captured.events[3]
    told = {"graph": Command.PARENT, "goto": "second", "updated": ["messages"], "result": "handed over"}
    assert gave["content"]["toolResults"] == told
    assert captured.events[2]["content"]["toolCalls"][0]["arguments"] == {}
    assert gave["metadata"]["langgraph_subgraph"] == "first"


def test_subgraphs_tell_the_nodes_around_them(captured, handler):
    """An event of a graph inside a graph names its own node and those around it, and an agent in a tool names the tool's span."""
    inner = create_agent(Scripted(answers=script(("find", {"order": "1"}))), [find])

    @langchain_tool
    def consult(question: str) -> str:
        """Ask another agent."""
        return inner.invoke(ask(question))["messages"][-1].content

    outer = create_agent(Scripted(answers=script(("consult", {"question": "?"}))), [consult])
    outer.invoke(ask(), config(handler))
    spans = tool_spans(captured)
    consulted = [event for event in captured.events if event["metadata"].get("parentSpanId") == spans["consult"][0]]
    assert [event["eventType"] for event in consulted] == ONE_RUN
    assert {event["traceId"] for event in captured.events} == {"thread-1"}

    graph = StateGraph(MessagesState)
    graph.add_node("desk", create_agent(Scripted(answers=["Fine."]), [find]))
    graph.add_edge(START, "desk")
    graph.compile().invoke(ask(), config(handler, "thread-2"))
    said = captured.of_type("llm_response")[-1]
    assert (said["metadata"]["langgraph_node"], said["metadata"]["langgraph_subgraph"]) == ("model", "desk")


class Orders(TypedDict):
    """What the graph below is about."""

    orders: list[str]
    found: Annotated[list[int], operator.add]


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_parallel_branches_are_told_apart(captured, handler, call):
    """Branches that run side by side each tell their node, and what they call directly is in the run's trace."""
    graph = StateGraph(Orders)
    graph.add_node("work", lambda state: {"found": [helper(int(state["orders"][0]))]})
    graph.add_node("count", lambda state: {"found": [helper(len(state["orders"]))]})
    graph.add_conditional_edges(START, lambda state: [*[Send("work", {"orders": [order]}) for order in state["orders"]], "count"])
    graph.add_edge("work", END)
    runnable = graph.compile()
    given = {"orders": ["1", "2", "3"], "found": []}
    result = runnable.invoke(given, config(handler)) if call == "invoke" else asyncio.run(runnable.ainvoke(given, config(handler)))
    assert sorted(result["found"]) == [2, 3, 4, 4]
    assert {event["traceId"] for event in captured.events} == {"thread-1"}
    assert len(tool_spans(captured)["helper"]) == 4


@pytest.mark.parametrize("kind", AGENTS)
def test_a_tool_that_fails_in_an_agent(captured, handler, kind):
    """A tool's exception that ends the run is one error, in the tool's span."""
    with pytest.raises(ValueError, match="no order 1"), whyops.trace("open"):
        agent(kind, Scripted(answers=script(("broken", {"order": "1"}))), [broken]).invoke(ask(), config(handler))
    assert types(captured) == [*ONE_RUN[:3], "error", "tool_call_response"]
    assert captured.events[3]["spanId"] == captured.events[2]["spanId"]


def test_a_tool_that_fails_and_is_handled(captured, handler):
    """A tool node that turns errors into messages goes on; the error is recorded once, and the call has failed."""
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([broken], handle_tool_errors=True))
    graph.add_edge(START, "tools")
    result = graph.compile().invoke({"messages": [calls(("broken", {"order": "1"}))]}, config(handler))
    assert result["messages"][-1].status == "error"
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    assert captured.events[2]["content"]["toolResults"] == {"error": "ValueError: no order 1"}


def test_what_langgraph_injects_is_no_argument(captured, handler):
    """State and runtime that LangGraph hands to a tool are not recorded, neither as arguments of the tool nor of a decorated function."""

    @langchain_tool
    @whyops.tool
    def look(order: str, state: Annotated[dict, InjectedState], runtime: ToolRuntime) -> int:
        """Look at the state."""
        assert runtime.tool_call_id
        return len(state["messages"])

    create_agent(Scripted(answers=script(("look", {"order": "1"}))), [look]).invoke(ask("a secret question"), config(handler))
    assert only(captured, "tool_call_request")["content"]["toolCalls"] == [{"name": "look", "arguments": {"order": "1"}}]
    with whyops.trace("direct"):
        look.func("1", {"messages": ["secret"]}, type("R", (), {"tool_call_id": "x"})())
    assert captured.of_type("tool_call_request")[-1]["content"]["toolCalls"] == [{"name": "look", "arguments": {"order": "1"}}]


def test_an_agents_stream_that_is_left_early(captured, handler):
    """Leaving an agent's stream by `break` is no error, and what had begun is closed."""
    runnable = create_agent(Scripted(answers=script(("find", {"order": "1"}))), [find])
    for _ in (stream := runnable.stream(ask(), config(handler))):
        break
    stream.close()
    assert captured.of_type("error") == []
    tool_spans(captured)


def test_an_agents_async_stream_that_is_left_early(captured, handler):
    """The same asynchronously, in the middle of a tool: its call is closed as interrupted."""

    @langchain_tool
    async def slow(order: str) -> str:
        """Wait."""
        await asyncio.sleep(30)
        return order

    async def main() -> None:
        runnable = create_agent(Scripted(answers=script(("slow", {"order": "1"}))), [slow])
        stream = runnable.astream(ask(), config(handler))
        async for _ in stream:
            break
        await asyncio.sleep(0.05)
        await stream.aclose()
        await asyncio.sleep(0.05)

    asyncio.run(main())
    assert captured.of_type("error") == []
    tool_spans(captured)


def test_a_cancelled_agent(captured, handler):
    """A run that is cancelled in a tool is no error; its call is closed as interrupted, and no state is kept."""

    @langchain_tool
    async def slow(order: str) -> str:
        """Wait."""
        await asyncio.sleep(30)
        return order

    async def main() -> None:
        runnable = create_agent(Scripted(answers=script(("slow", {"order": "1"}))), [slow])
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(runnable.ainvoke(ask(), config(handler)), 0.3)
        assert context.top() is None

    asyncio.run(main())
    assert captured.of_type("error") == []
    assert only(captured, "tool_call_response")["metadata"]["interrupted"] == "CancelledError"


@hands_config_on
def test_a_model_that_is_cancelled_leaves_no_state(captured, handler):
    """LangChain tells nothing of a model that is cancelled in a graph: it ends with the graph, as interrupted, and leaves nothing open."""

    class Slow(Scripted):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(30)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(create_agent(Slow(), []).ainvoke(ask(), config(handler)), 0.3)

    asyncio.run(main())
    assert types(captured) == ["user_message", "llm_response"]
    end = only(captured, "llm_response")
    assert (end["content"], end["metadata"]["interrupted"]) == ({}, "CancelledError")


def test_one_handler_serves_all_threads(captured, handler):
    """Graphs that run at once over one handler, each with its thread's id and its user, are recorded apart."""
    runnable = create_agent(Scripted(reply=lambda messages: f"re: {messages[-1].content}"), [])
    given = [{**config(handler, f"thread-{n}"), "metadata": {"user_id": f"user-{n}"}} for n in range(20)]
    runnable.batch([ask(str(n)) for n in range(20)], given)
    for event in captured.of_type("llm_response"):
        number = event["traceId"].removeprefix("thread-")
        assert event["content"]["content"] == f"re: {number}"
        assert event["externalUserId"] == f"user-{number}"
    assert len({event["traceId"] for event in captured.events}) == 20


def test_what_a_callback_costs_is_not_an_executors_hop(captured, handler):
    """The handler runs where LangChain runs (`run_inline`): no callback is handed to a thread pool."""
    assert handler.run_inline is True
    hops: list[object] = []

    class Watching(Scripted):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            return self._generate(*args, **kwargs)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.run_in_executor = lambda *call: hops.append(call)  # type: ignore[method-assign,assignment]
        await Watching(answers=["Fine."]).ainvoke("Hi", {"callbacks": [handler]})

    asyncio.run(main())
    assert hops == []
    assert types(captured) == ["user_message", "llm_response"]


def test_importing_the_integration_imports_no_langgraph():
    """LangGraph is understood without being imported."""
    code = "import sys, whyops.integrations.langchain; sys.exit(any(name.split('.')[0] == 'langgraph' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
