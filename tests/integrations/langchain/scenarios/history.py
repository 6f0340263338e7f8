"""A history that changes on its way: cleared, trimmed, filtered, summarised, removed from."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ClearToolUsesEdit, ContextEditingMiddleware, SummarizationMiddleware
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    filter_messages,
    merge_message_runs,
    trim_messages,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find, price
from tests.integrations.scenario import scenario


@scenario(
    feature="Summarised history",
    recorded="The summary's own call; then the summary, and what was kept, by ids",
    streamed=True,
    needs="langchain>=1.1",
)
def summarisation_middleware(run: Run) -> None:
    summary = SummarizationMiddleware(run.model("Ada asked for lamps."), trigger=("messages", 4), keep=("messages", 2))
    agent = create_agent(run.model(), [find], system_prompt="Help.", middleware=[summary], checkpointer=InMemorySaver())
    for text in ("Lamps?", "Which?", "How many?", "Thanks"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(
    feature="Summarised history",
    recorded="The summary's own call; then the summary, and what was kept, by ids",
    streamed=True,
    needs="langchain>=1.1",
)
def summarisation_with_tools(run: Run) -> None:
    summary = SummarizationMiddleware(run.model("Two orders."), trigger=("messages", 5), keep=("messages", 3))
    model = run.model(calls(("find", {"order": "1"})), calls(("find", {"order": "2"})), "Both have.", "Bye.")
    agent = create_agent(model, [find], middleware=[summary], checkpointer=InMemorySaver())
    for text in ("Where are 1 and 2?", "Thanks"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Summarised history", recorded="The graph's own summary, as a message of the next prompt", streamed=True)
def summarised_by_a_node(run: Run) -> None:
    model = run.model()

    def shortened(state: MessagesState) -> Any:
        answer = model.invoke(state["messages"])
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), SystemMessage("Ada asked for lamps."), answer]}

    graph: Any = StateGraph(MessagesState).add_node("model", shortened).add_edge(START, "model").compile()
    state = run.invoke(graph, ask("Lamps?"))
    run.invoke(graph, {"messages": [*state["messages"], HumanMessage("How many?")]})


@scenario(feature="Trimmed history", recorded="The messages that are left, by their ids", streamed=True)
def trimmed(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [SystemMessage("Help.")]
    for number in range(5):
        said.append(HumanMessage(f"Question {number}"))
        said.append(run.invoke(model, trim_messages(said, max_tokens=4, token_counter=len, include_system=True)))


@scenario(feature="Trimmed history", recorded="The messages that are left, by their ids", streamed=True)
def trimmed_in_a_chain(run: Run) -> None:
    chain = trim_messages(max_tokens=3, token_counter=len, strategy="last", start_on="human") | run.model()
    said: list[BaseMessage] = []
    for number in range(4):
        said.append(HumanMessage(f"Question {number}"))
        said.append(run.invoke(chain, said))


class LastTwo(AgentMiddleware[Any, Any]):
    """Lets the model see the last two messages alone; the state keeps all."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(messages=request.messages[-2:]))


@scenario(feature="Trimmed history", recorded="The messages that the middleware left, by their ids", streamed=True, needs="langchain>=1.1")
def trimmed_by_a_middleware(run: Run) -> None:
    agent = create_agent(run.model(), [], middleware=[LastTwo()], checkpointer=InMemorySaver())
    for text in ("One?", "Two?", "Three?"):
        run.invoke(agent, ask(text), run.in_thread())


class ForgetFirst(AgentMiddleware[Any, Any]):
    """Removes the first message from the state."""

    def before_model(self, state: Any, runtime: Any) -> Any:  # noqa: ARG002  (LangChain says what it takes)
        return {"messages": [RemoveMessage(state["messages"][0].id)]} if len(state["messages"]) > 2 else None


@scenario(feature="Removed messages", recorded="The prompt without them", streamed=True)
def removed_by_a_middleware(run: Run) -> None:
    agent = create_agent(run.model(), [], middleware=[ForgetFirst()], checkpointer=InMemorySaver())
    for text in ("One?", "Two?", "Three?"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Cleared tool results", recorded="What stands in their place, with the id of the call", streamed=True)
def cleared_tool_results(run: Run) -> None:
    edits = ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=1, keep=1)])
    model = run.model(*(calls(("find", {"order": str(number)})) for number in range(3)), "All have.")
    run.invoke(create_agent(model, [find], middleware=[edits]), ask("Where are they?"))


@scenario(feature="Cleared tool results", recorded="What stands in their place, and the call with its arguments cleared", streamed=True)
def cleared_tool_calls(run: Run) -> None:
    edit = ClearToolUsesEdit(trigger=1, keep=0, clear_tool_inputs=True, exclude_tools=("price",), placeholder="[gone]")
    model = run.model(calls(("find", {"order": "1"})), calls(("price", {"item": "lamp"})), "57.70.")
    run.invoke(create_agent(model, [find, price], middleware=[ContextEditingMiddleware(edits=[edit])]), ask("How much?"))


@scenario(feature="Filtered history", recorded="The messages that are left, by their ids")
def filtered(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [SystemMessage("Help.", id="0"), HumanMessage("Hello", id="1"), AIMessage("Hi.", id="2")]
    run.invoke(model, said)
    run.invoke(model, [*filter_messages(said, exclude_types=["system"]), HumanMessage("And now?")])
    run.invoke(model, filter_messages(said, exclude_ids=["2"]))


@scenario(feature="Merged messages", recorded="The messages that came of it, as new ones")
def merged_runs(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [HumanMessage("Hello"), HumanMessage("Anybody?")]
    run.invoke(model, said)
    run.invoke(model, merge_message_runs(said))


@scenario(feature="Cleared history", recorded="The new prompt alone", streamed=True)
def begun_anew(run: Run) -> None:
    graph: Any = create_agent(run.model(), [], system_prompt="Help.", checkpointer=InMemorySaver())
    run.invoke(graph, ask("One?"), run.in_thread())
    run.invoke(graph, {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), HumanMessage("Two?")]}, run.in_thread())


@scenario(feature="A message replaced in the state", recorded="The new one, in the old one's place", streamed=True)
def replaced_by_id(run: Run) -> None:
    graph: Any = create_agent(run.model(), [], checkpointer=InMemorySaver())
    run.invoke(graph, {"messages": [HumanMessage("One?", id="first")]}, run.in_thread())
    run.invoke(graph, {"messages": [HumanMessage("I meant two?", id="first"), HumanMessage("Well?")]}, run.in_thread())
