"""Scripted models for LlamaIndex: they answer as they are told, and fetch nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

from llama_index.core import set_global_tokenizer
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.bridge.pydantic import Field
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.schema import TextNode

set_global_tokenizer(str.split)  # else LlamaIndex fetches one

Reply = ChatMessage | str | BaseException
Script = Callable[[Sequence[ChatMessage]], Reply]

NODES = [TextNode(text="Cats purr.", metadata={"page": 1}), TextNode(text="Dogs bark.")]


def embedding() -> MockEmbedding:
    """Return an embedding model of three dimensions."""
    return MockEmbedding(embed_dim=3)


def calls(*named: tuple[str, dict[str, Any]]) -> ChatMessage:
    """Return an answer that asks for tools."""
    wanted = [ToolSelection(tool_id=f"call-{i}", tool_name=name, tool_kwargs=kwargs) for i, (name, kwargs) in enumerate(named)]
    return ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": wanted})


def in_turn(*replies: Reply) -> Script:
    """Return a script that gives the replies one after the other."""
    left = iter(replies)
    return lambda _messages: next(left)


class ScriptedLLM(FunctionCallingLLM):
    """A model with methods of its own for each way of asking, as OpenAI's and Anthropic's have: none is made of another."""

    script: Any = Field(exclude=True)
    raw: Any = Field(default=None, exclude=True)
    model: str = "scripted-1"
    temperature: float = 0.5
    breaks_after: int | None = None

    @property
    def metadata(self) -> LLMMetadata:
        """Say what it can do."""
        return LLMMetadata(is_function_calling_model=True, is_chat_model=True, model_name=self.model)

    def _reply(self, messages: Sequence[ChatMessage]) -> ChatMessage:
        reply = self.script(messages)
        if isinstance(reply, BaseException):
            raise reply
        return ChatMessage(role="assistant", content=reply) if isinstance(reply, str) else reply

    def _chunks(self, message: ChatMessage) -> Generator[ChatResponse, None, None]:
        """Give the text word by word, as providers do, and the tool calls with the last word."""
        words = (message.content or "").split(" ")
        for i, word in enumerate(words):
            if i == self.breaks_after:
                raise ConnectionError("the stream broke")
            last = i == len(words) - 1
            so_far = ChatMessage(
                role="assistant", content=" ".join(words[: i + 1]), additional_kwargs=message.additional_kwargs if last else {}
            )
            yield ChatResponse(message=so_far, delta=f" {word}" if i else word, raw=self.raw if last else None)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        return ChatResponse(message=self._reply(messages), raw=self.raw)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        return ChatResponse(message=self._reply(messages), raw=self.raw)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Generator[ChatResponse, None, None]:
        return self._chunks(self._reply(messages))

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> AsyncGenerator[ChatResponse, None]:
        message = self._reply(messages)

        async def chunks() -> AsyncGenerator[ChatResponse, None]:
            for chunk in self._chunks(message):
                yield chunk

        return chunks()

    @llm_completion_callback()
    def complete(self, prompt: str, **_: Any) -> CompletionResponse:
        return CompletionResponse(text=self._reply([ChatMessage(content=prompt)]).content or "", raw=self.raw)

    @llm_completion_callback()
    async def acomplete(self, prompt: str, **_: Any) -> CompletionResponse:
        return CompletionResponse(text=self._reply([ChatMessage(content=prompt)]).content or "", raw=self.raw)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, **_: Any) -> Generator[CompletionResponse, None, None]:
        chunks = self._chunks(self._reply([ChatMessage(content=prompt)]))
        return (CompletionResponse(text=chunk.message.content or "", delta=chunk.delta, raw=chunk.raw) for chunk in chunks)

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, **_: Any) -> AsyncGenerator[CompletionResponse, None]:
        message = self._reply([ChatMessage(content=prompt)])

        async def chunks() -> AsyncGenerator[CompletionResponse, None]:
            for chunk in self._chunks(message):
                yield CompletionResponse(text=chunk.message.content or "", delta=chunk.delta, raw=chunk.raw)

        return chunks()

    def _prepare_chat_with_tools(
        self, tools: Sequence[Any], user_msg: Any = None, chat_history: list[ChatMessage] | None = None, **_: Any
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if user_msg:
            messages.append(ChatMessage(role="user", content=user_msg) if isinstance(user_msg, str) else user_msg)
        return {"messages": messages, "tools": [tool.metadata.to_openai_tool() for tool in tools]}

    def get_tool_calls_from_response(self, response: ChatResponse, **_: Any) -> list[ToolSelection]:
        return list(response.message.additional_kwargs.get("tool_calls", []))
