"""What fails and is tried again: retries, fallbacks, tools that fail."""

from __future__ import annotations

import contextlib
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ToolRetryMiddleware, wrap_model_call, wrap_tool_call
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario

AT_ONCE: Any = {"initial_delay": 0.0, "backoff_factor": 0.0, "jitter": False}


@scenario(feature="Retry", recorded="Each try, with its error; the prompt once", streamed=True)
def retried(run: Run) -> None:
    model = run.model(ValueError("busy"), ValueError("busy"), "At last.")
    again = model.with_retry(retry_if_exception_type=(ValueError,), wait_exponential_jitter=False, stop_after_attempt=3)
    again.invoke([SystemMessage("Help."), HumanMessage("Hello")], run.config)


@scenario(feature="Retry", recorded="Each try, with its error; the prompt once", needs="langchain>=1.1", streamed=True)
def model_retry_middleware(run: Run) -> None:
    from langchain.agents.middleware import ModelRetryMiddleware  # noqa: PLC0415  (not in all versions)

    model = run.model(ValueError("busy"), "At last.")
    run.invoke(create_agent(model, [find], middleware=[ModelRetryMiddleware(**AT_ONCE)]), ask())


@scenario(feature="Retry", recorded="Each try of the node, with its error; the prompt once", streamed=True)
def retried_node(run: Run) -> None:
    model = run.model(ValueError("busy"), "At last.")
    graph: Any = StateGraph(MessagesState)
    policy: Any = RetryPolicy(initial_interval=0.0, jitter=False, retry_on=ValueError)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]}, retry_policy=policy)
    run.invoke(graph.add_edge(START, "model").compile(), ask())


@scenario(feature="Retry", recorded="Each try of a chain's model; the prompt once")
def retried_chain(run: Run) -> None:
    chain: Any = ChatPromptTemplate.from_messages([("system", "Help."), ("human", "{text}")]) | run.model(ValueError("busy"), "At last.")
    chain.with_retry(retry_if_exception_type=(ValueError,), wait_exponential_jitter=False).invoke({"text": "Hello"}, run.config)


@scenario(feature="Retry", recorded="That none of the tries came to an answer")
def retried_in_vain(run: Run) -> None:
    model = run.model(ValueError("busy"), ValueError("busy"))
    again = model.with_retry(retry_if_exception_type=(ValueError,), wait_exponential_jitter=False, stop_after_attempt=2)
    with contextlib.suppress(ValueError):
        again.invoke([HumanMessage("Hello")], run.config)


@scenario(feature="Retry of tools", recorded="Each try, and what the model is told in the end", streamed=True)
def tool_retry_middleware(run: Run) -> None:
    tries = iter([ValueError("busy"), None])

    @tool
    def fetch(page: str) -> str:
        """Fetch a page."""
        if (error := next(tries)) is not None:
            raise error
        return f"page {page}"

    model = run.model(calls(("fetch", {"page": "1"})), "Read.")
    run.invoke(create_agent(model, [fetch], middleware=[ToolRetryMiddleware(**AT_ONCE)]), ask())


@scenario(feature="Retry of tools", recorded="Each try, and what the model is told in the end", streamed=True)
def tool_retried_in_vain(run: Run) -> None:
    @tool
    def fetch(page: str) -> str:
        """Fetch a page."""
        raise ValueError("busy")

    model = run.model(calls(("fetch", {"page": "1"})), "It failed.")
    run.invoke(create_agent(model, [fetch], middleware=[ToolRetryMiddleware(max_retries=1, **AT_ONCE)]), ask())


@scenario(feature="Fallback", recorded="The model that failed, and the one that answered, with the same prompt")
def fallback(run: Run) -> None:
    chain = run.model(ValueError("down")).with_fallbacks([run.model("Here.")])
    chain.invoke([SystemMessage("Help."), HumanMessage("Hello")], run.config)


@scenario(feature="Fallback", recorded="The model that failed, and the one that answered, with the same prompt", streamed=True)
def model_fallback_middleware(run: Run) -> None:
    other = ModelFallbackMiddleware(run.model("Here.", "There.", model_name="other-1"))
    model = run.model(ValueError("down"), ValueError("down"))
    run.invoke(create_agent(model, [find], system_prompt="Help.", middleware=[other]), ask())


@scenario(feature="Fallback", recorded="A fallback that asks otherwise, with its own prompt")
def fallback_with_another_prompt(run: Run) -> None:
    long: Any = ChatPromptTemplate.from_messages([("system", "Be long."), ("human", "{text}")]) | run.model(ValueError("too long"))
    short = ChatPromptTemplate.from_messages([("system", "Be short."), ("human", "{text}")]) | run.model("Short.")
    long.with_fallbacks([short]).invoke({"text": "Hello"}, run.config)


@scenario(feature="Fallback", recorded="A middleware's own second try, with the prompt that it made", streamed=True)
def wrapped_model_call(run: Run) -> None:
    @wrap_model_call
    def again(request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except ValueError:
            return handler(request.override(messages=[*request.messages, HumanMessage("Please.")]))

    run.invoke(create_agent(run.model(ValueError("down"), "Here."), [], middleware=[again]), ask())


@scenario(feature="Failed tools", recorded="The error, and what the model is told of it", streamed=True)
def failed_tool_that_is_told(run: Run) -> None:
    @wrap_tool_call
    def told(request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except ValueError as error:
            return ToolMessage(f"It failed: {error}", tool_call_id=request.tool_call["id"], status="error")

    @tool
    def broken(order: str) -> str:
        """Fail."""
        raise ValueError(f"no {order}")

    model = run.model(calls(("broken", {"order": "1"})), "It failed.")
    run.invoke(create_agent(model, [broken], middleware=[told]), ask())


@scenario(feature="Failed tools", recorded="Arguments that don't fit, and what the model is told of them", streamed=True)
def wrong_arguments(run: Run) -> None:
    model = run.model(calls(("find", {"number": 1})), calls(("find", {"order": "1"})), "It has.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(feature="Failed tools", recorded="A tool that there is none of, and what the model is told", streamed=True)
def unknown_tool(run: Run) -> None:
    model = run.model(calls(("seek", {"order": "1"})), calls(("find", {"order": "1"})), "It has.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(feature="Failed models", recorded="The error, beside the prompt that it was asked with")
def failed_model_in_a_loop(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), ValueError("down"))
    with contextlib.suppress(ValueError):
        run.invoke(create_agent(model, [find]), ask())
