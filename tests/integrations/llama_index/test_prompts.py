"""Each prompt, put together again from what was recorded, is message by message what the model itself was given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer

import whyops
from tests.integrations.llama_index.scripted import ScriptedLLM, calls, in_turn
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import ModelToolCall, PromptMessage
from whyops.testing import Captured

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Given = list[list[PromptMessage]]


def keeping(given: Given, *replies: Any) -> ScriptedLLM:
    """Return a model that keeps what it is given, as it is then."""
    script = in_turn(*replies)

    def reply(messages: Sequence[ChatMessage]) -> Any:
        given.append([plain(message) for message in messages])
        return script(messages)

    return ScriptedLLM(script=reply)


def plain(message: ChatMessage) -> PromptMessage:
    listed = [call if isinstance(call, dict) else call.model_dump() for call in message.additional_kwargs.get("tool_calls", ())]
    wanted = tuple(ModelToolCall(call["tool_id"], call["tool_name"], call["tool_kwargs"]) for call in listed)
    return PromptMessage(message.role.value, message.content or "", wanted, message.additional_kwargs.get("tool_call_id"))


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word} is a word"


def tool_loop(given: Given) -> None:
    llm = keeping(given, calls(("add", {"a": 1, "b": 2})), calls(("add", {"a": 3}), ("add", {"a": 4})), "Three.")

    async def run() -> None:
        await FunctionAgent(tools=[add], llm=llm, system_prompt="Reckon.").run("What is 1 + 2?")

    asyncio.run(run())


def two_turns(given: Given) -> None:
    llm = keeping(given, calls(("add", {"a": 1, "b": 2})), "Three.", "Bye.")

    async def run() -> None:
        agent, memory = FunctionAgent(tools=[add], llm=llm), ChatMemoryBuffer.from_defaults(token_limit=10_000)
        await agent.run("What is 1 + 2?", memory=memory)
        await agent.run("Thanks!", memory=memory)

    asyncio.run(run())


def react(given: Given) -> None:
    llm = keeping(given, 'Thought: I must add.\nAction: add\nAction Input: {"a": 1, "b": 2}', "Thought: done.\nAnswer: 3")

    async def run() -> None:
        await ReActAgent(tools=[add], llm=llm).run("What is 1 + 2?")

    asyncio.run(run())


def engine_of(llm: ScriptedLLM) -> SimpleChatEngine:
    return SimpleChatEngine.from_defaults(llm=llm, system_prompt="Be kind.", memory=ChatMemoryBuffer.from_defaults(token_limit=10_000))


def chat_engine(given: Given) -> None:
    engine = engine_of(keeping(given, "Hello.", "Hello again.", "Bye."))
    for text in ("Hi", "Hi", "Bye"):
        engine.chat(text)


def streamed(given: Given) -> None:
    engine = engine_of(keeping(given, "Hello there.", "Bye then."))
    for text in ("Hi", "Bye"):
        assert list(engine.stream_chat(text).response_gen)


def mutated_in_place(given: Given) -> None:
    llm = keeping(given, "One.", "Two.")
    said = [ChatMessage(role="system", content="Be kind."), ChatMessage(role="user", content="Hi")]
    said.append(llm.chat(said).message)
    said[0].content = "Be rude."
    llm.chat([*said, ChatMessage(role="user", content="And?")])


def prefill(given: Given) -> None:
    llm = keeping(given, "1]", "}")
    question = ChatMessage(role="user", content="In JSON.")
    for begun in ("[", "{"):
        llm.chat([question, ChatMessage(role="assistant", content=begun)])


@pytest.mark.parametrize("run", [tool_loop, two_turns, react, chat_engine, streamed, mutated_in_place, prefill])
def test_prompts_are_rebuilt(captured: Captured, run: Callable[[Given], None]) -> None:
    """In order, with nothing missing; what the models themselves kept is what counts."""
    given: Given = []
    with whyops.trace("t"):
        run(given)
    recorded = RecordedTrace.from_events(captured.events)
    assert given
    assert [list(call.prompt or ()) for call in recorded.model_calls] == given
    assert all(call.missing == 0 for call in recorded.model_calls)


def test_a_tools_text_is_recorded_once(captured: Captured) -> None:
    """As its result; the prompt that tells the model of it names that."""
    given: Given = []
    llm = keeping(given, calls(("look_up", {"word": "cat"})), "A word.")

    async def run() -> None:
        await FunctionAgent(tools=[look_up], llm=llm).run("What is a cat?")

    asyncio.run(run())
    recorded = RecordedTrace.from_events(captured.events)
    assert [list(call.prompt or ()) for call in recorded.model_calls] == given
    assert json.dumps(captured.events).count("cat is a word") == 1
    assert [event["eventType"] for event in captured.events].count("user_message") == 1
