"""Without contents, and with a tool's values left out: what LlamaIndex tells of a run is no way around it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from llama_index.core import Settings, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ThinkingBlock
from llama_index.core.callbacks import CallbackManager
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import TextNode
from llama_index.core.tools import FunctionTool

import whyops
from tests.integrations.llama_index.scripted import ScriptedLLM, calls, embedding, in_turn
from tests.planted import WORD
from whyops.integrations.llama_index import WhyOpsCallbackHandler, instrument
from whyops.testing import Captured, capture

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic's and asyncio's, in LlamaIndex's engines

RAW = {"choices": [{"finish_reason": f"{WORD} made it stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "note": WORD}}
NODES = [TextNode(text=f"{WORD} purrs.", metadata={"title": WORD, WORD: WORD}, id_=WORD), TextNode(text=WORD)]


def look_up(query: str, deep: dict[str, Any]) -> dict[str, Any]:
    """Look up Zebrafish 7."""
    return {"found": query, **deep}


def fails(query: str) -> str:
    """Fail."""
    raise ValueError(query)


def answer() -> ChatMessage:
    blocks = [ThinkingBlock(content=WORD, additional_information={"signature": WORD}), TextBlock(text=WORD)]
    return ChatMessage(role="assistant", blocks=blocks, additional_kwargs={"odd": WORD})


def model(*replies: Any) -> ScriptedLLM:
    return ScriptedLLM(script=in_turn(*replies), raw=RAW)


async def run_everything() -> None:
    index = VectorStoreIndex(NODES, embed_model=embedding())
    await index.as_query_engine(llm=model(answer())).aquery(WORD)
    streamed = await index.as_query_engine(llm=model(answer()), streaming=True).aquery(WORD)
    assert WORD in "".join([token async for token in streamed.response_gen])
    memory = ChatMemoryBuffer.from_defaults(token_limit=1_000)
    await SimpleChatEngine.from_defaults(llm=model(answer()), system_prompt=WORD, memory=memory).achat(WORD)
    blocks = [TextBlock(text=WORD), ImageBlock(url="https://x.test/zebra")]
    message = ChatMessage(role="user", blocks=blocks, additional_kwargs={"name": WORD})
    model(answer()).chat([ChatMessage(role="system", content=WORD), message], stop=WORD, tools=[{"name": "f", "description": WORD}])
    model(answer()).complete(WORD)
    with pytest.raises(ValueError, match=WORD):
        await model(ValueError(WORD)).achat([message])
    chosen = calls(("look_up", {"query": WORD, "deep": {WORD: WORD}}), ("fails", {"query": WORD}), ("unknown", {"x": WORD}))
    tools = [look_up, FunctionTool.from_defaults(fails, description=WORD)]
    await FunctionAgent(tools=tools, llm=model(chosen, answer()), system_prompt=WORD, description=WORD).run(WORD)


@pytest.mark.parametrize("way", ["instrument", "classic"])
def test_no_word_of_a_run_is_recorded(way: str) -> None:
    """Prompts, answers, reasoning, tools and what they are called with, nodes, errors, metadata: names and sizes are left."""
    with capture(capture_content=False) as captured:
        if way == "instrument":
            with instrument():
                asyncio.run(run_everything())
        else:
            Settings.callback_manager = CallbackManager([WhyOpsCallbackHandler()])
            try:
                asyncio.run(run_everything())
            finally:
                Settings._callback_manager = None
        events = captured.events
    assert [event for event in events if WORD in json.dumps(event)] == []
    assert {event["eventType"] for event in events} >= {"user_message", "llm_response", "tool_call_response", "embedding_request"}
    if way == "instrument":
        assert {event["metadata"]["tool"] for event in captured.of_type("tool_call_request")} >= {"look_up", "fails", "unknown"}


@pytest.mark.parametrize("options", [{"capture_arguments": False}, {"capture_result": False}, {"ignore": "query"}], ids=str)
def test_a_tools_own_switches_hold_where_the_handlers_record(captured: Captured, options: dict[str, Any]) -> None:
    """What `@whyops.tool` says of a function is true of its LlamaIndex tool: values, and the texts of errors."""
    tool = FunctionTool.from_defaults(whyops.tool(**options)(fails))
    with pytest.raises(ValueError, match=WORD):
        tool(query=WORD)
    (told,) = captured.of_type("tool_call_response")
    (error,) = captured.of_type("error")
    expected = {"capture_arguments": {"query": "[not captured]"}, "capture_result": {"query": WORD}, "ignore": {}}
    assert told["content"]["toolCalls"][0]["arguments"] == expected[next(iter(options))]
    hidden = "ignore" not in options
    assert told["content"]["toolResults"] == {"error": f"ValueError: {'[not captured]' if hidden else WORD}"}
    assert error["content"]["message"] == ("[not captured]" if hidden else WORD)
