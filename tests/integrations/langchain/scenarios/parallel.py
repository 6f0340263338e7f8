"""Calls at the same time: batches, branches, fan-outs, several tools."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from tests.integrations.langchain.parts import Scripted, ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find, price
from tests.integrations.scenario import scenario


def echoing(run: Run) -> Scripted:
    return run.model(reply=lambda messages: f"Answer to {messages[-1].content}")


@scenario(feature="Batch", recorded="Each call, prompt and answer as a pair", concurrent=True, repeats=True)
def batch(run: Run) -> None:
    rules = SystemMessage("Help.")
    echoing(run).batch([[rules, HumanMessage(name)] for name in "abcdef"], run.config)


@scenario(feature="Batch", recorded="Each call; what they have in common once", needs="python>=3.11")
async def batch_in_async_code(run: Run) -> None:
    rules = SystemMessage("Help.")
    await echoing(run).abatch([[rules, HumanMessage(name)] for name in "abc"], {**run.config, "max_concurrency": 1})


@scenario(feature="Batch", recorded="Each call, in the order in which it ends", concurrent=True, repeats=True)
def batch_as_completed(run: Run) -> None:
    list(echoing(run).batch_as_completed([[HumanMessage(name)] for name in "abc"], run.config))


@scenario(feature="Batch", recorded="Several prompts in one call of `generate`, each on its own", repeats=True)
def generate(run: Run) -> None:
    prompts: list[list[BaseMessage]] = [[SystemMessage("Help."), HumanMessage(name)] for name in "ab"]
    echoing(run).generate(prompts, callbacks=run.config["callbacks"])


@scenario(feature="Branches", recorded="Each branch's prompt and answer as a pair", streamed=True, concurrent=True, repeats=True)
def branches(run: Run) -> None:
    model = echoing(run)
    each = {name: RunnableLambda(lambda _, name=name: [HumanMessage(name)]) | model for name in "abcd"}
    run.invoke(RunnableParallel(each), {})


@scenario(feature="Branches", recorded="What the branches have in common once", streamed=True)
def branches_in_turns(run: Run) -> None:
    model = echoing(run)
    chain = ChatPromptTemplate.from_messages([("system", "Say it."), ("human", "{word}")])
    each: Any = {name: (lambda _, name=name: {"word": name}) | chain | model for name in "abc"}
    RunnableParallel(each).invoke({}, {**run.config, "max_concurrency": 1})


class Words(TypedDict):
    words: list[str]
    told: Annotated[list[str], operator.add]


@scenario(feature="Send", recorded="Each of the tasks, prompt and answer as a pair", streamed=True, concurrent=True, repeats=True)
def sends(run: Run) -> None:
    model = echoing(run)

    def told(state: Any) -> Any:
        return {"told": [str(model.invoke([HumanMessage(state["word"])]).content)]}

    graph: Any = StateGraph(Words).add_node("told", told).add_edge("told", END)  # type: ignore[type-var]  # a state of its own
    graph.add_conditional_edges(START, lambda state: [Send("told", {"word": word}) for word in state["words"]], ["told"])
    run.invoke(graph.compile(), {"words": ["a", "b", "c"], "told": []})


@scenario(feature="Parallel nodes", recorded="Each node's prompt and answer as a pair", streamed=True, concurrent=True, repeats=True)
def nodes_at_once(run: Run) -> None:
    model = echoing(run)
    graph: Any = StateGraph(Words)
    for name in "abc":
        graph.add_node(name, lambda _, name=name: {"told": [str(model.invoke([HumanMessage(name)]).content)]})
        graph.add_edge(START, name)
    run.invoke(graph.compile(), {"words": [], "told": []})


@scenario(feature="Functional API", recorded="Each task's prompt and answer as a pair", streamed=True, concurrent=True, repeats=True)
def tasks(run: Run) -> None:
    model = echoing(run)

    @task
    def say(word: str) -> str:
        return str(model.invoke([HumanMessage(word)]).content)

    @entrypoint()
    def both(words: list[str]) -> list[str]:
        return [each.result() for each in [say(word) for word in words]]

    run.invoke(both, ["a", "b"])


@scenario(feature="Parallel tools", recorded="Each call with its result; of the next prompt ids alone", streamed=True)
def tools_at_once(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"}), ("find", {"order": "2"}), ("price", {"item": "lamp"})), "So.")
    run.invoke(create_agent(model, [find, price], system_prompt="Look."), ask())


@scenario(feature="Parallel tools", recorded="Each call with its result; of the next prompt ids alone", needs="python>=3.11")
async def tools_at_once_in_async_code(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"}), ("find", {"order": "2"})), "So.")
    await create_agent(model, [find], system_prompt="Look.").ainvoke(ask(), run.config)


@scenario(feature="Parallel tools", recorded="Two calls that are alike, told apart by their ids", streamed=True)
def the_same_tool_twice(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"}), ("find", {"order": "1"})), "So.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(feature="Parallel runs", recorded="Each run in its own trace", needs="python>=3.11")
async def two_traces_at_once(run: Run) -> None:
    model = run.model(reply=lambda messages: f"Answer to {messages[-1].content}")
    with run.trace("a"):
        first = asyncio.create_task(model.ainvoke([HumanMessage("a")], run.config))
        await first
    with run.trace("b"):
        await asyncio.create_task(model.ainvoke([HumanMessage("a")], run.config))
