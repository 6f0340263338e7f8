"""Runs that go on elsewhere: after an interrupt, with another handler, in another trace, in another process."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage, messages_from_dict, messages_to_dict
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import whyops
from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario
from whyops.integrations.langchain import WhyOpsCallbackHandler


def with_memory(run: Run) -> Any:
    model = run.model(calls(("find", {"order": "1"})), "It has.", "Bye.", "Bye again.")
    return create_agent(model, [find], system_prompt="Look.", checkpointer=InMemorySaver())


@scenario(feature="Checkpointer", recorded="The whole prompt, what was there before by ids", streamed=True)
def same_thread(run: Run) -> None:
    agent = with_memory(run)
    for text in ("Where is 1?", "Thanks", "Bye"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Checkpointer", recorded="The whole prompt, also where another handler goes on", streamed=True)
def another_handler(run: Run) -> None:
    agent = with_memory(run)
    run.invoke(agent, ask("Where is 1?"), run.in_thread())
    run.config["callbacks"] = [WhyOpsCallbackHandler()]
    run.invoke(agent, ask("Thanks"), run.in_thread())


@scenario(feature="Checkpointer", recorded="The whole prompt again, in the other trace", streamed=True)
def another_trace(run: Run) -> None:
    agent = with_memory(run)
    with run.trace("first"):
        run.invoke(agent, ask("Where is 1?"), run.in_thread())
    with run.trace("second"):
        run.invoke(agent, ask("Thanks"), run.in_thread())


@scenario(feature="Checkpointer", recorded="The whole prompt again, where another process goes on", streamed=True, repeats=True)
def another_process(run: Run) -> None:
    agent = with_memory(run)
    run.invoke(agent, ask("Where is 1?"), run.in_thread())
    run.restart()
    with whyops.trace(run.trace_id):
        run.invoke(agent, ask("Thanks"), run.in_thread())


@scenario(feature="Stored history", recorded="The whole prompt; what is equal to what was there by ids")
def from_a_database(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})))
    said: list[BaseMessage] = [HumanMessage("Where is 1?")]
    said.append(run.invoke(model, said))
    said.append(find.invoke({**said[-1].tool_calls[0], "type": "tool_call"}, run.config))  # type: ignore[attr-defined]  # an answer
    said = messages_from_dict(messages_to_dict(said))
    run.invoke(model, [*said])


@scenario(feature="Stored history", recorded="The whole prompt again, where another process goes on", repeats=True)
def from_a_database_in_another_process(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [HumanMessage("Hello")]
    said.append(run.invoke(model, said))
    run.restart()
    with whyops.trace(run.trace_id):
        run.invoke(model, [*messages_from_dict(messages_to_dict(said)), HumanMessage("And now?")])


@scenario(feature="Interrupt in a tool", recorded="The call as interrupted, and again with its result once it is resumed", streamed=True)
def interrupted_tool(run: Run) -> None:
    @tool
    def confirm(order: str) -> str:
        """Ask a human."""
        return f"{order}: {interrupt('Sure?')}"

    model = run.model(calls(("confirm", {"order": "1"})), "Done.")
    agent = create_agent(model, [confirm], checkpointer=InMemorySaver())
    run.invoke(agent, ask(), run.in_thread())
    run.invoke(agent, Command(resume="yes"), run.in_thread())


@scenario(feature="Interrupt in a node", recorded="The model's call again, as the node starts again", streamed=True)
def interrupted_node(run: Run) -> None:
    model = run.model()

    def node(state: MessagesState) -> Any:
        answer = model.invoke(state["messages"])
        return {"messages": [answer, HumanMessage(interrupt("Well?")), model.invoke([HumanMessage("Go on.")])]}

    graph: Any = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile(checkpointer=InMemorySaver())
    run.invoke(graph, ask(), run.in_thread())
    run.invoke(graph, Command(resume="Yes."), run.in_thread())


@scenario(feature="Interrupt in a node", recorded="The rest of the run, also where another process goes on", streamed=True, repeats=True)
def resumed_in_another_process(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), "It has.")
    agent = create_agent(model, [find], checkpointer=InMemorySaver(), interrupt_before=["tools"])
    run.invoke(agent, ask(), run.in_thread())
    run.restart()
    with whyops.trace(run.trace_id):
        run.invoke(agent, None, run.in_thread())


@scenario(feature="Time travel", recorded="The prompt as it was at the earlier point", streamed=True)
def forked_from_an_earlier_point(run: Run) -> None:
    agent = with_memory(run)
    run.invoke(agent, ask("Where is 1?"), run.in_thread())
    earlier = next(each for each in agent.get_state_history(run.in_thread()) if each.next == ("tools",))
    run.invoke(agent, None, {**run.config, **earlier.config})
