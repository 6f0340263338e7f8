"""Several agents: hand-offs, supervisors, sub-agents that are tools, subgraphs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find, price
from tests.integrations.scenario import scenario


def hand_off_to(name: str, *, with_history: bool = True) -> BaseTool:
    """Return a tool that hands a conversation over to another agent, as langgraph-swarm's does."""

    @tool(f"transfer_to_{name}")
    def transfer(state: Annotated[Any, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Hand over."""
        told = ToolMessage(f"Transferred to {name}", name=f"transfer_to_{name}", tool_call_id=tool_call_id)
        messages = [*state["messages"], told] if with_history else [HumanMessage("You are asked for lamps.")]
        return Command(goto=name, update={"messages": messages}, graph=Command.PARENT)

    return transfer


def swarm(run: Run, *, with_history: bool = True) -> Any:
    sales = create_agent(
        run.model(calls(("transfer_to_support", {})), "Buy two.", name="sales"),
        [hand_off_to("support", with_history=with_history)],
        name="sales",
    )
    support = create_agent(run.model(calls(("find", {"order": "1"})), "It has."), [find], system_prompt="Support.", name="support")
    graph: Any = StateGraph(MessagesState).add_node("sales", sales).add_node("support", support)
    return graph.add_edge(START, "sales").compile(checkpointer=InMemorySaver())


@scenario(feature="Hand-off to another agent", recorded="Where to, and the message that tells it; then the other's prompt", streamed=True)
def hand_off(run: Run) -> None:
    run.invoke(swarm(run), ask("Where is 1?"), run.in_thread())


@scenario(feature="Hand-off to another agent", recorded="A history of its own, where the hand-off gives it one", streamed=True)
def hand_off_without_history(run: Run) -> None:
    run.invoke(swarm(run, with_history=False), ask("Lamps?"), run.in_thread())


@scenario(feature="Hand-off to another agent", recorded="Each agent's calls, in one conversation", streamed=True)
def hand_off_and_back(run: Run) -> None:
    graph = swarm(run)
    run.invoke(graph, ask("Where is 1?"), run.in_thread())
    run.invoke(graph, ask("And lamps?"), run.in_thread())


@scenario(feature="Supervisor", recorded="The supervisor's prompts with what each agent said to it", streamed=True)
def supervisor(run: Run) -> None:
    boss = run.model("clerk", "done")
    clerk = create_agent(run.model(calls(("find", {"order": "1"})), "It has."), [find], system_prompt="Find.", name="clerk")

    def decide(state: MessagesState) -> Command[Any]:
        answer = boss.invoke([HumanMessage("Who is next?"), *state["messages"]])
        return Command(goto=END if "done" in str(answer.content) else "clerk")

    def work(state: MessagesState) -> Command[Any]:
        said = clerk.invoke(state)["messages"][-1]  # type: ignore[arg-type]  # a graph's state
        return Command(goto="boss", update={"messages": [HumanMessage(said.content, name="clerk")]})

    graph: Any = StateGraph(MessagesState).add_node("boss", decide).add_node("clerk", work)
    run.invoke(graph.add_edge(START, "boss").compile(), ask("Where is 1?"))


@scenario(feature="Supervisor", recorded="The result of a sub-agent, as that of the supervisor's tool", streamed=True)
def sub_agent_as_tool(run: Run) -> None:
    clerk = create_agent(run.model(calls(("find", {"order": "1"})), "Order 1 has shipped."), [find], name="clerk")

    @tool
    def ask_clerk(question: str) -> str:
        """Ask the clerk."""
        return str(clerk.invoke({"messages": [HumanMessage(question)]})["messages"][-1].content)

    model = run.model(calls(("ask_clerk", {"question": "Where is 1?"})), "It has.")
    run.invoke(create_agent(model, [ask_clerk], name="boss"), ask("Is 1 on its way?"))


@scenario(feature="Supervisor", recorded="The calls of two sub-agents that work at once", streamed=True, concurrent=True, repeats=True)
def sub_agents_at_once(run: Run) -> None:
    clerk = create_agent(run.model(reply=lambda messages: f"Answer to {messages[-1].content}"), [], name="clerk")

    @tool
    def ask_clerk(question: str) -> str:
        """Ask the clerk."""
        return str(clerk.invoke({"messages": [HumanMessage(question)]})["messages"][-1].content)

    model = run.model(calls(("ask_clerk", {"question": "1?"}), ("ask_clerk", {"question": "2?"})), "Both.")
    run.invoke(create_agent(model, [ask_clerk], name="boss"), ask("1 and 2?"))


@scenario(feature="Subgraph", recorded="The calls in it, with the same messages by ids", streamed=True)
def subgraph(run: Run) -> None:
    inner_model, outer_model = run.model("Inner."), run.model("Outer.", "Outer.")

    def outer(state: MessagesState) -> Any:
        return {"messages": [outer_model.invoke(state["messages"])]}

    def inner(state: MessagesState) -> Any:
        return {"messages": [inner_model.invoke(state["messages"])]}

    within = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile()
    graph: Any = StateGraph(MessagesState).add_node("first", outer).add_node("within", within).add_node("last", outer)
    run.invoke(graph.add_edge(START, "first").add_edge("first", "within").add_edge("within", "last").compile(), ask())


@scenario(feature="Hand-off to another agent", recorded="The next agent's prompt, its instructions in place of the first's", streamed=True)
def one_after_another(run: Run) -> None:
    names = ("writer", "critic", "editor")
    graph: Any = StateGraph(MessagesState)
    for name, before in zip(names, (START, *names), strict=False):
        graph.add_node(name, create_agent(run.model(f"I am the {name}."), [], system_prompt=f"Be a {name}.", name=name))
        graph.add_edge(before, name)
    run.invoke(graph.compile(), ask("Write."))


@scenario(
    feature="Hand-off to another agent", recorded="Where to, and the message that tells it; then the other's prompt", needs="python>=3.11"
)
async def hand_off_in_async_code(run: Run) -> None:
    await swarm(run).ainvoke(ask("Where is 1?"), run.in_thread())


@scenario(feature="Tool that updates the state", recorded="What it updates, and what it tells the model", streamed=True)
def command_of_a_tool(run: Run) -> None:
    @tool
    def note(text: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Take a note."""
        return Command(update={"messages": [ToolMessage(f"Noted: {text}", tool_call_id=tool_call_id)]})

    model = run.model(calls(("note", {"text": "two lamps"}), ("price", {"item": "lamp"})), "Noted.")
    run.invoke(create_agent(model, [note, price]), ask("Note two lamps, and what is one?"))


@scenario(feature="Agent in async code", recorded="The same as in sync code", needs="python>=3.11")
async def two_agents_in_tasks(run: Run) -> None:
    agent = create_agent(run.model(reply=lambda messages: f"Answer to {messages[-1].content}"), [])

    async def one(name: str) -> None:
        with run.trace(name):
            await agent.ainvoke(ask(name), run.config)

    for name in ("a", "b"):
        await asyncio.create_task(one(name))
