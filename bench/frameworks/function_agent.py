"""An agent of LlamaIndex's: four model calls, and two tools after each of the first three."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from handlers import Listening
from llama_index.core import set_global_tokenizer
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool

set_global_tokenizer(str.split)  # else LlamaIndex fetches one

RUNS = 10
_ROUNDS = 3
_RAW = {"usage": {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}, "choices": [{"finish_reason": "stop"}]}


def search_orders(order_id: str) -> dict[str, Any]:
    """Return about 300 bytes of JSON, as a small tool does."""
    return {"order_id": order_id, "found": [{"sku": f"sku-{number}", "status": "shipped", "carrier": "post"} for number in range(5)]}


def _offered(tool: Any) -> dict[str, Any]:
    offered: dict[str, Any] = tool.metadata.to_openai_tool()
    return offered


class Model(FunctionCallingLLM):
    """Asks for two tools three times, and then answers."""

    @property
    def metadata(self) -> LLMMetadata:
        """Say what it can do."""
        return LLMMetadata(is_function_calling_model=True, is_chat_model=True, model_name="scripted-1")

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        """Answer."""
        turn = sum(message.role == "assistant" for message in messages)
        names = [f"call-{turn}-{number}" for number in range(2)] if turn < _ROUNDS else []
        calls = [ToolSelection(tool_id=name, tool_name="search_orders", tool_kwargs={"order_id": f"order-{name}"}) for name in names]
        text = "Let me look. " * 5 if calls else "It has shipped. " * 10
        return ChatResponse(message=ChatMessage(role="assistant", content=text, additional_kwargs={"tool_calls": calls}), raw=_RAW)

    def _prepare_chat_with_tools(self, tools: Any, user_msg: Any = None, chat_history: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        return {"messages": [*(chat_history or []), *([user_msg] if user_msg else [])], "tools": [_offered(each) for each in tools]}

    def get_tool_calls_from_response(self, response: ChatResponse, *_: Any, **__: Any) -> list[ToolSelection]:
        """Return the tools that the answer asks for."""
        calls: list[ToolSelection] = response.message.additional_kwargs.get("tool_calls", [])
        return calls

    def chat(self, *_: Any, **__: Any) -> Any:
        """Not asked for here."""
        raise NotImplementedError

    complete = acomplete = stream_chat = stream_complete = astream_chat = astream_complete = chat


_agent = FunctionAgent(
    tools=[FunctionTool.from_defaults(search_orders)],
    llm=Model(),
    system_prompt="You help customers with their orders. " * 10,
    streaming=False,
)


async def _runs() -> None:
    for _ in range(RUNS):
        await _agent.run("Where is order 17? " * 10, memory=ChatMemoryBuffer.from_defaults(token_limit=100_000))


def sample(listening: Listening) -> float:
    """Run the agent some times; return the microseconds of one run."""
    began = time.process_time()
    asyncio.run(_runs())
    listening.deliver()
    return (time.process_time() - began) * 1e6 / RUNS
