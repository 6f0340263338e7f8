"""A LangChain chat model that answers as the models of a recorded run did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from .stored_answers import Answer


class ReplayedChatModel(BaseChatModel):
    """Answers in the order of the recorded run, whatever it is asked. Tools can be bound to it, and structured output asked of it."""

    answers: Callable[[], Answer]

    @property
    def _llm_type(self) -> str:
        return "whyops-replay"

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any) -> Runnable[Any, AIMessage]:  # noqa: ARG002  (LangChain says what it takes)
        """Take the tools: what the recorded model asked for is in its answers."""
        from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: PLC0415  (as it is needed)

        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],  # noqa: ARG002  (LangChain says what it takes)
        stop: list[str] | None = None,  # noqa: ARG002  (so)
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  (so)
        **_: Any,
    ) -> ChatResult:
        answer = self.answers()
        message = AIMessage(
            answer.text,
            tool_calls=[{"id": one.id, "name": one.name, "args": one.arguments, "type": "tool_call"} for one in answer.asked],
            usage_metadata={
                "input_tokens": answer.prompt_tokens,
                "output_tokens": answer.completion_tokens,
                "total_tokens": answer.prompt_tokens + answer.completion_tokens,
            },
            response_metadata={"model_name": answer.model, "finish_reason": answer.finish_reason or "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])
