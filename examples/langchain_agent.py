"""A LangChain agent with tools, recorded by one line: the question, the choice, the tool's call and what it called itself, the answer.

Needs, in a clone, `pip install '.[langchain]' langchain`. Run it, then look at it with `whyops show last`. Only the model is scripted, so
that this runs without a key and without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, tool

import whyops
from whyops.integrations.langchain import WhyOpsCallbackHandler


def decisions() -> Iterator[AIMessage | str]:
    """Decide as a model did once."""
    call: Any = {"name": "where_is", "args": {"order_id": "123"}, "id": "call_1"}
    yield AIMessage("I'll look it up.", tool_calls=[call], usage_metadata={"input_tokens": 61, "output_tokens": 17, "total_tokens": 78})
    yield AIMessage("Your order is in Lübeck.", usage_metadata={"input_tokens": 92, "output_tokens": 8, "total_tokens": 100})


class ScriptedModel(GenericFakeChatModel):
    """Makes those decisions, whatever it is asked."""

    def bind_tools(self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **_: Any) -> Runnable[Any, AIMessage]:
        """Take the tools that are offered."""
        return self.bind(tools=[{"name": getattr(tool, "name", "")} for tool in tools])


@whyops.tool
def last_scan(order_id: str) -> str:
    """Tell where a parcel was scanned last."""
    return {"123": "Lübeck"}[order_id]


@tool
def where_is(order_id: str) -> str:
    """Tell where an order is."""
    return f"scanned in {last_scan(order_id)}"


def main() -> None:
    """Ask the agent once. The handler needs no argument; one serves all runs."""
    agent = create_agent(ScriptedModel(messages=decisions()), [where_is], system_prompt="You help customers of a small shop.")
    handler = WhyOpsCallbackHandler()

    result: dict[str, list[BaseMessage]] = agent.invoke(
        {"messages": [{"role": "user", "content": "Where is order 123?"}]}, config={"callbacks": [handler]}
    )
    print(result["messages"][-1].content)
    print("\nNow run: whyops show last")


if __name__ == "__main__":
    main()
