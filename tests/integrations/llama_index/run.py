"""What a scenario runs with: scripted models that keep what they are given, as it is then, and answer in one piece or in a stream."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain, count
from typing import Any, TypeVar

from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer

from tests.integrations.llama_index.scripted import ScriptedLLM
from whyops._wire.prompt import ModelToolCall, PromptMessage

T = TypeVar("T")

Given = list[list[PromptMessage]]
"""The prompts that models were given, in order."""


class Run:
    """One run of a scenario. `restart` lets it go on in a new client, `given` is what its models were given."""

    def __init__(self, restart: Callable[[], None], *, streamed: bool) -> None:
        self.restart = restart
        self.streamed = streamed
        self.given: Given = []

    def llm(self, *replies: Any, **fields: Any) -> ScriptedLLM:
        """Return a model that gives the replies in turn, and then "Answer 1." and so on."""
        left = chain(replies, (f"Answer {number}." for number in count(1)))

        def script(messages: Sequence[ChatMessage]) -> Any:
            self.given.append([plain(message) for message in messages])
            return next(left)

        return ScriptedLLM(script=script, **fields)

    def agent(self, *replies: Any, tools: Sequence[Any] = (), **options: Any) -> FunctionAgent:
        """Return an agent with such a model."""
        llm = options.pop("llm", None) or self.llm(*replies)
        return FunctionAgent(tools=list(tools), llm=llm, streaming=self.streamed, **options)

    def react(self, *replies: Any, tools: Sequence[Any] = (), **options: Any) -> ReActAgent:
        """Return an agent that thinks aloud, with such a model."""
        return ReActAgent(tools=list(tools), llm=self.llm(*replies), streaming=self.streamed, **options)

    def ask(self, llm: Any, messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        """Ask a model, and return what it said."""
        if not self.streamed:
            return llm.chat(messages, **options).message
        *_, last = llm.stream_chat(messages, **options)
        return last.message

    async def aask(self, llm: Any, messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        """Ask a model from asynchronous code."""
        if not self.streamed:
            return (await llm.achat(messages, **options)).message
        *_, last = [chunk async for chunk in await llm.astream_chat(messages, **options)]
        return last.message

    def talk(self, engine: Any, *texts: str) -> None:
        """Say one thing after the other to a chat engine."""
        for text in texts:
            assert str(engine.chat(text)) if not self.streamed else list(engine.stream_chat(text).response_gen)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run asynchronous code."""
        return asyncio.run(coroutine)

    def go(self, agent: Any, *texts: str, **options: Any) -> list[Any]:
        """Say one thing after the other to an agent."""

        async def run() -> list[Any]:
            return [await agent.run(text, **options) for text in texts]

        return asyncio.run(run())


def buffer(token_limit: int = 1_000) -> ChatMemoryBuffer:
    """Return a memory that is kept here; the usual one opens a database."""
    return ChatMemoryBuffer.from_defaults(token_limit=token_limit)


def system(text: str) -> ChatMessage:
    """Return instructions."""
    return ChatMessage(role="system", content=text)


def user(text: str, **more: Any) -> ChatMessage:
    """Return what a user says."""
    return ChatMessage(role="user", content=text, additional_kwargs=more)


def assistant(text: str, **more: Any) -> ChatMessage:
    """Return what a model has said."""
    return ChatMessage(role="assistant", content=text, additional_kwargs=more)


def plain(message: ChatMessage) -> PromptMessage:
    """Return a message as it is to be found again."""
    kwargs = message.additional_kwargs
    names = (kwargs.get("tool_call_id"), kwargs.get("name"))
    return PromptMessage(message.role.value, _content(message), tuple(_calls(message)), *names)


def _content(message: ChatMessage) -> Any:
    blocks = [block for block in message.blocks if block.block_type not in {"thinking", "tool_call"}]
    if all(block.block_type == "text" for block in blocks):
        return message.content or ""
    return copy.deepcopy([_part(block) for block in blocks])


def _part(block: Any) -> dict[str, Any]:
    held = {name: value for name, value in block if value is not None and name != "block_type"}
    shown = {name: _data(value) if isinstance(value, bytes) else value for name, value in held.items()}
    return {"type": block.block_type, **{name: str(value) if name in {"path", "url"} else value for name, value in shown.items()}}


def _data(value: bytes) -> str:
    return value.decode() if len(value) <= 4096 else f"[{len(value)} characters]"


def _calls(message: ChatMessage) -> Iterator[ModelToolCall]:
    for block in message.blocks:
        if block.block_type == "tool_call":
            yield ModelToolCall(block.tool_call_id, block.tool_name, copy.deepcopy(block.tool_kwargs))
    for call in message.additional_kwargs.get("tool_calls", ()):
        held = call if isinstance(call, dict) else call.model_dump()
        yield ModelToolCall(held["tool_id"], held["tool_name"], copy.deepcopy(held["tool_kwargs"]))
