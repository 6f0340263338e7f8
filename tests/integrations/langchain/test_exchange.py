"""Runs that hold no model, and answers that no model gave: what was asked, what came out, and by whom."""

# ruff: noqa: ARG005  (LangGraph says what a node takes)

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, ModelCallLimitMiddleware, before_model
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import whyops
from tests.integrations.langchain.parts import Scripted, also_async, ask, calls, only, types
from whyops.testing import Captured


@tool
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool(return_direct=True)
def quote(amount: int) -> str:
    """Quote a price."""
    return f"costs {amount}"


@before_model(can_jump_to=["end"])
def guard(state: Any, runtime: Any) -> dict[str, Any]:
    return {"jump_to": "end", "messages": [AIMessage("I can't talk about that.")]}


class Closed(AgentMiddleware):
    """Answers in the model's place."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:  # noqa: ARG002  (LangChain says what a hook takes)
        return AIMessage("We are closed.")

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.wrap_model_call(request, handler)


class Count(TypedDict):
    """A state without messages."""

    number: int


def graph(node: Any, state: type = Count, **options: Any) -> Any:
    built = StateGraph(state)
    built.add_node("work", node)
    built.add_edge(START, "work")
    return built.compile(**options)


def in_time(captured: Captured) -> list[dict[str, Any]]:
    return sorted(captured.events, key=lambda event: event["metadata"]["recordedAt"])


def told(captured: Captured) -> list[tuple[str, object]]:
    """Return type and content of each event, in order of time: words, or a name and what it gave."""
    found: list[tuple[str, object]] = []
    for event in in_time(captured):
        content = event["content"]
        if event["eventType"] == "user_message":
            found.append(("asked", content[-1]["content"]))
        elif event["eventType"] == "tool_result":
            found.append((content["toolName"], content["output"]))
        else:
            found.append((event["eventType"], content.get("toolResults") or content.get("toolCalls")))
    return found


@pytest.mark.parametrize("way", also_async("invoke", "ainvoke", "stream"))
@pytest.mark.parametrize(
    "middleware, by, said",
    [(guard, "guard.before_model", "I can't talk about that."), (Closed(), "model", "We are closed.")],
    ids=["guard rail", "canned"],
)
def test_an_answer_that_a_middleware_gives(captured, handler, middleware, by, said, way):
    """The question as the user put it, and the answer, by the node that gave it; in the order in which they were said."""
    runnable = create_agent(Scripted(), [pay], middleware=[middleware])
    given = {"messages": [("user", "Let's talk about it.")]}
    if way == "stream":
        list(runnable.stream(given, {"callbacks": [handler]}))
    else:
        run = runnable.invoke if way == "invoke" else lambda *args: asyncio.run(runnable.ainvoke(*args))
        assert run(given, {"callbacks": [handler]})["messages"][-1].content == said
    assert told(captured) == [("asked", "Let's talk about it."), (by, said)]
    answer = only(captured, "tool_result")
    assert (answer["metadata"]["langgraph_node"], answer["metadata"]["stands_for"]) == (by, "answer")
    assert len({event["traceId"] for event in captured.events}) == 1
    timestamps = [event["timestamp"] for event in in_time(captured)]
    assert timestamps == sorted(set(timestamps))  # the service sorts by them alone


def test_a_limit_that_ends_a_run(captured, handler):
    """What the user gets after a model's call and a tool's; the question is in the model's prompt, and nowhere else."""
    limit = ModelCallLimitMiddleware(run_limit=1, exit_behavior="end")
    create_agent(Scripted(answers=[calls(("pay", {"amount": 1}))]), [pay], middleware=[limit]).invoke(ask(), {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response", "tool_result"]
    assert told(captured)[-1] == ("ModelCallLimitMiddleware.before_model", "Model call limits exceeded: run limit (1/1)")


def test_a_tool_whose_result_is_the_answer(captured, handler):
    """It is recorded once, as the tool's result."""
    create_agent(Scripted(answers=[calls(("quote", {"amount": 1}))]), [quote]).invoke(ask(), {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response"]


@pytest.mark.parametrize("first", ["Hello", "Good day"])
def test_what_a_model_said_is_no_nodes_answer(captured, handler, first):
    """Neither where a node hands it on, nor where it stood in the node's input; what another node adds is."""
    model = Scripted(answers=["Hello", "Bye."])
    built = StateGraph(MessagesState)
    built.add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
    built.add_node("again", lambda state: {"messages": [AIMessage(" Hello ")]})
    built.add_node("same", lambda state: {"messages": state["messages"]})
    built.add_node("own", lambda state: {"messages": [AIMessage("By the way …")]})
    for before, after in [(START, "ask"), ("ask", "again"), ("again", "same"), ("same", "own")]:
        built.add_edge(before, after)
    built.compile().invoke({"messages": [HumanMessage("Hi"), AIMessage("Yes?"), HumanMessage(first)]}, {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response", "tool_result"]
    assert told(captured)[-1] == ("own", "By the way …")


def test_a_graph_of_plain_nodes_is_a_call(captured, handler):
    """With its state before and after, as it was then: a node may change what it is handed."""

    def work(state: Any) -> dict[str, Any]:
        state["items"].append("b")
        return {"items": state["items"]}

    class Items(TypedDict):
        items: list[str]

    graph(work, Items, name="sorter").invoke({"items": ["a"]}, {"callbacks": [handler]})
    request, response = captured.events
    assert types(captured) == ["tool_call_request", "tool_call_response"]
    assert request["content"]["toolCalls"] == [{"name": "sorter", "arguments": {"items": ["a"]}}]
    assert response["content"]["toolResults"] == {"items": ["a", "b"]}
    assert request["spanId"] == response["spanId"]
    assert request["metadata"]["stands_for"] == response["metadata"]["stands_for"] == "run"
    assert response["metadata"]["durationMs"] > 0


def test_a_graph_whose_models_and_tools_tell_of_it_is_none(captured, handler):
    """A state without words leaves nothing where a model, a tool or a decorated function runs in a node."""
    model = Scripted(answers=["4"])
    graph(lambda state: {"number": int(model.invoke("2 + 2?").content)}).invoke({"number": 0}, {"callbacks": [handler]})
    graph(lambda state: {"number": len(pay.invoke({"amount": 1}))}).invoke({"number": 0}, {"callbacks": [handler]})
    graph(lambda state: {"number": helper()}).invoke({"number": 0}, {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response", *["tool_call_request", "tool_call_response"] * 2]
    assert captured.tool_names() == ["pay", "helper"]


@whyops.tool
def helper() -> int:
    return 4


def test_a_graph_that_fails(captured, handler):
    """The error says in which node, inside the call that the run is; it is one error."""

    def fails(state: Any) -> Any:
        raise ValueError("too small")

    with pytest.raises(ValueError, match="too small"):
        graph(fails).invoke({"number": 1}, {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    request, error, response = captured.events
    assert error["metadata"]["langgraph_node"] == "work"
    assert error["metadata"]["parentSpanId"] == request["spanId"]
    assert response["content"]["toolResults"] == {"error": "ValueError: too small"}
    assert whyops.RecordedTrace.from_events(captured.events).totals.errors == 1
    with pytest.raises(ValueError, match="too small"):
        graph(fails, MessagesState).invoke(ask(), {"callbacks": [handler]})
    assert types(captured)[3:] == ["user_message", "error"]


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_an_interrupt_and_its_resumption(captured, handler, call):
    """The question and who puts it, once though it passes through two graphs; the human's words; what came of them."""
    inner = graph(lambda state: {"number": int(interrupt({"question": "How many?"}))})
    outer = StateGraph(Count)
    outer.add_node("desk", inner)
    outer.add_edge(START, "desk")
    runnable = outer.compile(checkpointer=InMemorySaver())
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "t"}}

    def run(given: Any) -> Any:
        return runnable.invoke(given, config) if call == "invoke" else asyncio.run(runnable.ainvoke(given, config))

    run({"number": 0})
    assert run(Command(resume="7"))["number"] == 7
    assert told(captured) == [
        ("tool_call_request", [{"name": "LangGraph", "arguments": {"number": 0}}]),
        ("interrupt", {"question": "How many?"}),
        ("tool_call_response", {"interrupted": "GraphInterrupt"}),
        ("asked", "7"),
        ("LangGraph", {"number": 7}),
    ]
    question = captured.of_type("tool_result")[0]["metadata"]
    assert (question["langgraph_node"], question["langgraph_subgraph"], question["stands_for"]) == ("work", "desk", "question")
    assert {event["traceId"] for event in captured.events} == {"t"}


def test_a_human_who_decides_about_a_call(captured, handler):
    """What is asked, and the decision, also where it is no text."""
    middleware = [HumanInTheLoopMiddleware(interrupt_on={"pay": True})]
    model = Scripted(answers=[calls(("pay", {"amount": 1})), "Not paid."])
    runnable = create_agent(model, [pay], middleware=middleware, checkpointer=InMemorySaver())
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "t"}}
    runnable.invoke(ask(), config)
    runnable.invoke(Command(resume={"decisions": [{"type": "reject", "message": "too much"}]}), config)
    question, rejected = captured.of_type("tool_result")
    assert rejected["metadata"]["tool_call_id"] == "call-pay-0"
    assert question["content"]["output"]["action_requests"][0]["args"] == {"amount": 1}
    assert captured.of_type("user_message")[1]["content"][0]["content"] == '{"decisions":[{"type":"reject","message":"too much"}]}'
    assert captured.events[-1]["content"]["content"] == "Not paid."


def test_the_functional_api(captured, handler):
    """An entrypoint is a run under its own name; its tasks are no runs of their own."""

    @task
    def double(number: int) -> int:
        return number * 2

    @entrypoint()
    def flow(number: int) -> int:
        return double(number).result() + 1

    @entrypoint()
    def greet(name: str) -> str:
        return f"Hello {name}"

    flow.invoke(3, {"callbacks": [handler]})
    greet.invoke("Ada", {"callbacks": [handler]})
    assert told(captured) == [
        ("tool_call_request", [{"name": "flow", "arguments": {"input": 3}}]),
        ("tool_call_response", {"result": 7}),
        ("asked", "Ada"),
        ("greet", "Hello Ada"),
    ]


def test_chains_that_answer_without_a_model(captured, handler):
    """A chain given a text answers; with a model or a tool in it, or where it only fills in a prompt, it adds nothing."""
    config = {"callbacks": [handler]}
    refuses = RunnableBranch((lambda _: True, lambda _: "No."), RunnableLambda(lambda _: "Yes."))
    assert refuses.invoke("Please?", config) == "No."
    assert told(captured) == [("asked", "Please?"), ("RunnableBranch", "No.")]
    ChatPromptTemplate.from_template("{text}").invoke({"text": "Hi"}, config)
    StrOutputParser().invoke(AIMessage("Hi"), config)
    (ChatPromptTemplate.from_template("Say: {text}") | Scripted(answers=["Hi"]) | (lambda said: said.content.upper())).invoke("x", config)
    RunnableLambda(lambda text: pay.invoke({"amount": len(text)})).invoke("x", config)
    assert types(captured)[2:] == ["user_message", "llm_response", "tool_call_request", "tool_call_response"]


def test_a_fallback_is_part_of_its_run(captured, handler):
    """LangChain tells of each attempt as of a run of its own."""
    model = Scripted(answers=[ConnectionError("down")]).with_fallbacks([Scripted(answers=["Hi."])])
    model.invoke("Hello", {"callbacks": [handler]})
    assert types(captured) == ["user_message", "error", "user_message", "llm_response"]


def test_a_run_in_a_tool_is_the_tools(captured, handler):
    """Its arguments and its result tell what was asked and answered, by whichever way it is a tool."""
    runnable = create_agent(Scripted(), [], middleware=[guard])

    @tool
    def consult(question: str) -> str:
        """Ask another agent."""
        return runnable.invoke(ask(question))["messages"][-1].content

    @whyops.tool
    def look_up(question: str) -> str:
        return runnable.invoke(ask(question), {"callbacks": [handler]})["messages"][-1].content

    consult.invoke({"question": "Who?"}, {"callbacks": [handler]})
    look_up("Who?")
    assert types(captured) == ["tool_call_request", "tool_call_response"] * 2


def test_a_run_in_a_traces_block(captured, handler):
    """Is the application's own there, too; without contents its words are not recorded."""
    with whyops.trace("open"):
        create_agent(Scripted(), [], middleware=[guard]).invoke(ask("Who?"), {"callbacks": [handler]})
    assert told(captured) == [("asked", "Who?"), ("guard.before_model", "I can't talk about that.")]
    assert {event["traceId"] for event in captured.events} == {"open"}


def test_a_stream_that_is_left_early(captured, handler):
    """Leaves the question, and the answer as far as there is one."""
    runnable = create_agent(Scripted(), [], middleware=[guard])
    stream: Iterator[Any] = runnable.stream(ask("Who?"), {"callbacks": [handler]})
    next(stream)
    stream.close()
    assert told(captured) == [("asked", "Who?"), ("guard.before_model", "I can't talk about that.")]


def test_models_that_are_left_to_the_proxy_tell_of_the_run_all_the_same(captured):
    """With `llm_events=False` neither question nor answer of a model is recorded as anybody else's."""
    quiet = whyops.integrations.langchain.WhyOpsCallbackHandler(llm_events=False)
    create_agent(Scripted(answers=["Hi."]), []).invoke(ask(), {"callbacks": [quiet]})
    assert captured.events == []
