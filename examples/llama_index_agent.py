"""A LlamaIndex agent with a tool, recorded: the model's thoughts, the tool's call and what it called itself, and the answer.

Needs, in a clone, `pip install '.[llama-index]'`. Run it, then look at it with `whyops show last`. Only the model is scripted, so that
this runs without a key and without a network.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Generator, Iterator
from typing import Any

from llama_index.core import set_global_tokenizer
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback

import whyops
from whyops.integrations.llama_index import instrument

warnings.filterwarnings("ignore", category=DeprecationWarning)  # pydantic's, about LlamaIndex's agents

DECISIONS = [
    'Thought: I have to look the order up.\nAction: where_is\nAction Input: {"order_id": "123"}',
    "Thought: I can answer now.\nAnswer: Your order 123 is in Lübeck.",
]


class ScriptedModel(CustomLLM):
    """Makes the decisions that a model made once."""

    _left: Iterator[str] = PrivateAttr(default_factory=lambda: iter(DECISIONS))

    @property
    def metadata(self) -> LLMMetadata:
        """Say who decides."""
        return LLMMetadata(model_name="scripted-1")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:  # noqa: ARG002, FBT001, FBT002  (as LlamaIndex calls it)
        """Decide."""
        return CompletionResponse(text=next(self._left))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Generator[CompletionResponse, None, None]:  # noqa: ARG002, FBT001, FBT002
        """Decide, in one piece."""
        text = next(self._left)
        return (CompletionResponse(text=piece, delta=piece) for piece in [text])


@whyops.tool
def last_scan(order_id: str) -> str:
    """Tell where a parcel was scanned last."""
    return {"123": "Lübeck"}[order_id]


@whyops.tool
def where_is(order_id: str) -> str:
    """Tell where an order is."""
    return f"scanned in {last_scan(order_id)}"


async def main() -> None:
    """Ask the agent once; the run is one trace."""
    instrument()
    set_global_tokenizer(str.split)  # LlamaIndex would fetch one

    agent = ReActAgent(name="Support", tools=[where_is], llm=ScriptedModel())
    print(await agent.run("Where is order 123?"))
    print("\nNow run: whyops show last")


if __name__ == "__main__":
    asyncio.run(main())
