"""A LangGraph run that waits for a human, recorded in one trace: the call that was interrupted, and the one that was resumed.

Needs, in a clone, `pip install '.[langchain]' langgraph`. Run it, then look at it with `whyops show last`. It runs without a key and
without a network: the graph needs no model.
"""

from __future__ import annotations

import uuid
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

import whyops
from whyops.integrations.langchain import WhyOpsCallbackHandler


class Refund(TypedDict):
    """What the graph decides about."""

    order_id: str
    cents: int
    outcome: str


@whyops.tool
def price_of(order_id: str) -> int:
    """Look an order's price up, in cents."""
    return {"123": 5770}[order_id]


@whyops.tool
def ask_a_human(order_id: str, cents: int) -> bool:
    """Wait until somebody has decided."""
    return bool(interrupt(f"Refund {cents / 100:.2f} EUR for order {order_id}?"))


def find(state: Refund) -> dict[str, int]:
    """Find out what is asked for."""
    return {"cents": price_of(state["order_id"])}


def decide(state: Refund) -> dict[str, str]:
    """Let a human decide. LangGraph leaves this function here, and starts it again when the answer has come."""
    return {"outcome": "refunded" if ask_a_human(state["order_id"], state["cents"]) else "refused"}


def main() -> None:
    """Run up to the question, then answer it. The thread's id is the trace's: what is resumed goes on in the same trace."""
    builder = StateGraph(Refund)
    builder.add_node("find", find)
    builder.add_node("decide", decide)
    builder.add_edge(START, "find")
    builder.add_edge("find", "decide")
    graph = builder.compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"callbacks": [WhyOpsCallbackHandler()], "configurable": {"thread_id": f"refund-{uuid.uuid4()}"}}

    paused: dict[str, Any] = graph.invoke({"order_id": "123", "cents": 0, "outcome": ""}, config)
    print("It asks:", paused["__interrupt__"][0].value)
    done: dict[str, Any] = graph.invoke(Command(resume=True), config)
    print("The order is", done["outcome"])
    print("\nNow run: whyops show last")


if __name__ == "__main__":
    main()
