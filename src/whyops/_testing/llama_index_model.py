"""A LlamaIndex model that answers as the models of a recorded run did."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool

from .stored_answers import Answer


class ReplayedLLM(FunctionCallingLLM):
    """Answers in the order of the recorded run, whatever it is asked, streamed or not; tools that it asked for are in its answers."""

    answers: Callable[[], Answer] = Field(exclude=True)
    model: str = "whyops-replay"

    @property
    def metadata(self) -> LLMMetadata:
        """Say that it chats and calls functions."""
        return LLMMetadata(is_chat_model=True, is_function_calling_model=True, model_name=self.model)

    def _answer(self) -> ChatResponse:
        answer = self.answers()
        asked = [ToolSelection(tool_id=one.id, tool_name=one.name, tool_kwargs=one.arguments) for one in answer.asked]
        message = ChatMessage(role="assistant", content=answer.text, additional_kwargs={"tool_calls": asked} if asked else {})
        usage = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens}
        return ChatResponse(message=message, delta=answer.text, raw={"model": answer.model, "usage": usage})

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:  # noqa: ARG002  (LlamaIndex says what it takes)
        """Answer."""
        return self._answer()

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:  # noqa: ARG002  (so)
        """Answer."""
        return self._answer()

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Generator[ChatResponse, None, None]:  # noqa: ARG002  (so)
        """Answer in one piece."""

        def one() -> Generator[ChatResponse, None, None]:
            yield self._answer()

        return one()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> AsyncGenerator[ChatResponse, None]:  # noqa: ARG002  (so)
        """Answer in one piece."""

        async def one() -> AsyncGenerator[ChatResponse, None]:
            yield self._answer()

        return one()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:  # noqa: ARG002, FBT001, FBT002  (so)
        """Answer."""
        return CompletionResponse(text=self._answer().message.content or "")

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:  # noqa: ARG002, FBT001, FBT002  (so)
        """Answer."""
        return CompletionResponse(text=self._answer().message.content or "")

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Generator[CompletionResponse, None, None]:  # noqa: ARG002, FBT001, FBT002  (so)
        """Answer in one piece."""
        text = self._answer().message.content or ""

        def one() -> Generator[CompletionResponse, None, None]:
            yield CompletionResponse(text=text, delta=text)

        return one()

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> AsyncGenerator[CompletionResponse, None]:  # noqa: ARG002, FBT001, FBT002  (so)
        """Answer in one piece."""
        text = self._answer().message.content or ""

        async def one() -> AsyncGenerator[CompletionResponse, None]:
            yield CompletionResponse(text=text, delta=text)

        return one()

    def _prepare_chat_with_tools(  # type: ignore[override]  # what it takes grows with LlamaIndex's versions
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        messages = [*(chat_history or [])]
        if user_msg is not None:
            messages.append(ChatMessage(role="user", content=user_msg) if isinstance(user_msg, str) else user_msg)
        return {"messages": messages, "tools": [tool.metadata.to_openai_tool() for tool in tools]}

    def get_tool_calls_from_response(self, response: ChatResponse, error_on_no_tool_call: bool = True, **_: Any) -> list[ToolSelection]:  # noqa: FBT001, FBT002  (so)
        """Return the tools that an answer asks for."""
        found: list[ToolSelection] = response.message.additional_kwargs.get("tool_calls", [])
        if not found and error_on_no_tool_call:
            raise ValueError("The recorded answer asks for no tool.")
        return found
