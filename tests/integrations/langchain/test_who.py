"""Who acts, and for whom: agent, node, middleware, run name, tags and the user's metadata on every event, and the session's ids."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import pytest
from langchain.agents import create_agent, factory
from langchain.agents.middleware import SummarizationMiddleware, summarization
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool as langchain_tool
from langgraph.graph import START, MessagesState, StateGraph

import whyops
from tests.integrations.langchain.parts import Scripted, also_async, ask, calls, only
from whyops._runtime import guard
from whyops.integrations.langchain import WhyOpsCallbackHandler, _who
from whyops.testing import capture

tells_agents = pytest.mark.skipif(
    "lc_agent_name" not in inspect.getsource(factory) or "lc_source" not in inspect.getsource(summarization),
    reason="this version of LangChain does not say whose a run is",
)
GIVEN: Any = {"run_name": "pipeline", "tags": ["beta"], "metadata": {"release": "1.2", "user_id": "ada"}}
WHO = {"run_name": "pipeline", "tags": ["beta"], "run_metadata": {"release": "1.2"}}


@whyops.tool
def look(order: str) -> str:
    """Look."""
    return f"{order} is lost"


@langchain_tool
def find(order: str) -> str:
    """Find an order."""
    return look(order)


@langchain_tool
def broken(order: str) -> str:
    """Fail."""
    raise ValueError(look(order))


def who(event: Any) -> dict[str, Any]:
    """Return what an event says of who acts."""
    names = ("agent", "langgraph_node", "langgraph_subgraph", "middleware", "run_name", "tags", "run_metadata")
    return {name: event["metadata"][name] for name in names if name in event["metadata"]}


@tells_agents
def test_every_event_of_two_agents_names_its_agent_and_node(captured, handler):
    """Prompts, answers, tools, functions called in tools: each says which agent's it is, and what the run was given."""
    graph = StateGraph(MessagesState)
    for name, following in (("alice", "bob"), ("bob", None)):
        model = Scripted(answers=[calls(("find", {"order": name})), "done"])
        graph.add_node(name, create_agent(model, [find], name=name))
        if following:
            graph.add_edge(name, following)
    graph.add_edge(START, "alice")
    graph.compile().invoke(ask(), {"callbacks": [handler], **GIVEN})
    for event in captured.events:
        assert who(event) == {
            "agent": (agent := event["metadata"]["agent"]),
            "langgraph_node": "tools" if event["eventType"].startswith("tool_call") else "model",
            "langgraph_subgraph": agent,
            **WHO,
        }
        assert event["externalUserId"] == "ada"
    looked = [event for event in captured.of_type("tool_call_request") if event["metadata"]["tool"] == "look"]
    assert [event["metadata"]["agent"] for event in looked] == ["alice", "bob"]


def test_errors_name_their_node(captured, handler):
    """A node that fails, and a tool that does, say where, and so does what was called there."""
    graph = StateGraph(MessagesState)
    graph.add_node("fine", lambda _: {"messages": [AIMessage(look("1"))]})
    graph.add_node("risky", lambda _: {}["missing"])
    graph.add_edge(START, "fine")
    graph.add_edge("fine", "risky")
    with pytest.raises(KeyError):
        graph.compile().invoke(ask(), {"callbacks": [handler], **GIVEN})
    assert who(only(captured, "error")) == {"langgraph_node": "risky", **WHO}
    assert who(only(captured, "tool_call_response")) == {"langgraph_node": "fine", **WHO}


@tells_agents
def test_a_tools_error_and_what_it_called_name_the_agent(captured, handler):
    """The error of a tool carries what its call does."""
    agent = create_agent(Scripted(answers=[calls(("broken", {"order": "1"}))]), [broken], name="desk")
    with pytest.raises(ValueError, match="lost"):
        agent.invoke(ask(), {"callbacks": [handler]})
    assert who(only(captured, "error")) == {"agent": "desk", "langgraph_node": "tools", "run_name": "desk"}
    assert all(who(event)["agent"] == "desk" for event in captured.events)


@tells_agents
def test_a_middlewares_own_model_call_is_told_from_the_agents(captured, handler):
    """What a summary asks its model is the middleware's."""
    middleware = SummarizationMiddleware(Scripted(answers=["short"]), trigger=("messages", 2), keep=("messages", 1))
    agent = create_agent(Scripted(answers=["done"]), [], middleware=[middleware])
    agent.invoke({"messages": [HumanMessage("a"), AIMessage("b"), HumanMessage("c")]}, {"callbacks": [handler]})
    said = {event["content"]["content"]: who(event).get("middleware") for event in captured.of_type("llm_response")}
    assert said == {"short": "summarization", "done": None}


def test_a_block_of_another_trace_and_plain_calls_have_no_labels_of_ours(captured):
    """Outside LangChain nothing is said of agents and nodes."""
    with whyops.trace("plain"):
        look("1")
    assert all(who(event) == {} for event in captured.events)


def test_without_content_names_stay_and_values_do_not():
    """Where contents are not captured, agents and nodes are told, on errors too, and the user's metadata is not."""
    with capture(capture_content=False) as captured:
        graph = StateGraph(MessagesState)
        graph.add_node("risky", lambda _: {}["missing"])
        graph.add_edge(START, "risky")
        with pytest.raises(KeyError):
            graph.compile().invoke(ask(), {"callbacks": [WhyOpsCallbackHandler()], "metadata": {"card": "4111 of Ada Byron"}})
    error = only(captured, "error")
    assert error["metadata"]["langgraph_node"] == "risky"
    assert "4111" not in str(captured.events)


def test_labels_are_bounded():
    """Of tags and metadata, at most 20 and of each 200 characters; what the frameworks put there is left out."""
    metadata = {**{f"key_{n}": "v" * 500 for n in range(50)}, "ls_provider": "acme", "thread_id": "t", "list": [1]}
    labels: Any = _who.labels_of(metadata, ["seq:step:1", *("t" * 500 for _ in range(50))], "n" * 500)
    assert len(labels["run_metadata"]) == len(labels["tags"]) == 20
    assert {len(text) for text in (*labels["run_metadata"].values(), *labels["tags"], labels["run_name"])} == {200}
    assert _who.labels_of({}, ["graph:step:1"], None) == {}
    assert _who.given_name("LangGraph") is None


def model_itself(model: Scripted) -> Any:
    return model


def sequence_of(model: Scripted) -> Any:
    return RunnableLambda(lambda given: given["messages"]) | model


def graph_of(model: Scripted) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("only", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "only")
    return graph.compile()


@pytest.mark.parametrize("how", ["invoke", "stream", "batch", *also_async("ainvoke", "astream")])
@pytest.mark.parametrize("made", [model_itself, sequence_of, graph_of])
def test_the_session_and_the_user_in_configurable(captured, handler, made, how):
    """Handlers are not told of them since langchain-core 1.3: they are found all the same, however something is run."""
    model = Scripted(answers=["Hi."])
    runnable = made(model)
    given: Any = "Hi" if runnable is model else ask()
    config: Any = {"callbacks": [handler], "configurable": {"session_id": "session-7", "user_id": "user-7"}}

    async def read() -> None:
        async for _ in runnable.astream(given, config):
            pass

    if how == "astream":
        asyncio.run(read())
    elif how == "ainvoke":
        asyncio.run(runnable.ainvoke(given, config))
    elif how == "batch":
        runnable.batch([given], config)
    else:
        list(getattr(runnable, how)(given, config))
    assert {(event["traceId"], event["externalUserId"]) for event in captured.events} == {("session-7", "user-7")}


def test_what_metadata_says_goes_before_configurable(captured, handler):
    """The two may name different ids: metadata is what users wrote for handlers."""
    config: Any = {"callbacks": [handler], "configurable": {"session_id": "other"}, "metadata": {"session_id": "mine"}}
    Scripted(answers=["Hi."]).invoke("Hi", config)
    assert {event["traceId"] for event in captured.events} == {"mine"}


def test_a_user_without_a_trace_is_said_once(captured, handler, caplog):
    """Each of its runs is a trace of its own; a line of the log says what keeps them together."""
    guard.notices._said.pop("LangChain user without trace", None)
    with caplog.at_level(logging.INFO, "whyops"):
        for _ in range(2):
            Scripted(answers=["Hi."]).invoke("Hello", {"callbacks": [handler], "configurable": {"user_id": "ada"}})
    said = [record.getMessage() for record in caplog.records if record.name == "whyops"]
    caplog.clear()
    assert len(said) == 1
    assert "thread_id" in said[0]
    assert len({event["traceId"] for event in captured.events}) == 2
    assert {event["externalUserId"] for event in captured.events} == {"ada"}
