"""An agent of LangGraph's: four model calls, and two tools after each of the first three."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from handlers import Listening
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

RUNS = 10
_ROUNDS = 3
_USAGE = {"input_tokens": 60, "output_tokens": 40, "total_tokens": 100}
_run = count()


@tool
def search_orders(order_id: str) -> dict[str, Any]:
    """Return about 300 bytes of JSON, as a small tool does."""
    return {"order_id": order_id, "found": [{"sku": f"sku-{number}", "status": "shipped", "carrier": "post"} for number in range(5)]}


class Model(BaseChatModel):
    """Asks for two tools three times, and then answers."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Any:
        """Take the tools."""
        from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: PLC0415  (once)

        return self.bind(tools=[convert_to_openai_tool(each) for each in tools])

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **_: Any) -> ChatResult:  # noqa: ARG002  (LangChain's signature)
        turn = sum(message.type == "ai" for message in messages)
        names = [f"call-{turn}-{number}" for number in range(2)] if turn < _ROUNDS else []
        calls = [{"name": "search_orders", "args": {"order_id": f"order-{name}"}, "id": name} for name in names]
        text = "Let me look. " * 5 if calls else "It has shipped. " * 10
        told = {"model_name": "scripted-1", "finish_reason": "stop"}
        answer = AIMessage(text, tool_calls=calls, usage_metadata=_USAGE, response_metadata=told)
        return ChatResult(generations=[ChatGeneration(message=answer)])


_agent = create_agent(Model(), [search_orders], system_prompt="You help customers with their orders. " * 10)


def sample(listening: Listening) -> float:
    """Run the agent some times, each in a trace of its own; return the microseconds of one run."""
    began = time.process_time()
    for _ in range(RUNS):
        config: Any = {"callbacks": listening.callbacks, "configurable": {"thread_id": f"run-{next(_run)}"}}
        _agent.invoke({"messages": [("user", "Where is order 17? " * 10)]}, config)
    listening.deliver()
    return (time.process_time() - began) * 1e6 / RUNS
