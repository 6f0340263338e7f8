"""Scripted models, and short words for what the tests look at."""

# ruff: noqa: ARG002  (LangChain says what a model's methods take)

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from whyops.testing import Captured

hands_config_on = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="before Python 3.11, async code inside LangChain has to hand its config on itself"
)
"""For what is told of async code only where LangChain can find its own config there."""


def also_async(*cases: str) -> list[Any]:
    """Return parameters of a test; those that begin with an `a` and `events` are async."""
    return [pytest.param(case, marks=hands_config_on) if case[0] == "a" or case == "events" else case for case in cases]


class Scripted(BaseChatModel):
    """Answers from a list, in order, or as a function of the prompt. It cannot stream."""

    answers: list[Any] = []  # noqa: RUF012  (a field of a pydantic model)
    reply: Callable[[list[BaseMessage]], Any] | None = None
    model_name: str = "scripted-1"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return {"ls_provider": "acme", "ls_model_name": self.model_name, "ls_model_type": "chat"}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, Any]:
        names = [tool if isinstance(tool, dict) else {"name": getattr(tool, "name", None) or tool.__name__} for tool in tools]
        return self.bind(tools=names, **{name: value for name, value in kwargs.items() if value is not None})

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        answer = self.reply(messages) if self.reply is not None else self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return AIMessage(answer) if isinstance(answer, str) else answer

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])


class Streaming(Scripted):
    """A model that streams its text word by word, also where the code calls `invoke` inside a stream."""

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in chunks_of(self._next(messages)):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.content), chunk=generation)
            yield generation


def chunks_of(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Give a text word by word, then the rest in a last chunk, as providers do."""
    for word in str(message.content).split(" "):
        yield AIMessageChunk(content=f"{word} ")
    yield AIMessageChunk(
        content="",
        tool_call_chunks=[
            {"name": call["name"], "args": json.dumps(call["args"]), "id": call["id"], "index": index}
            for index, call in enumerate(message.tool_calls)
        ],
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
    )


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    """Return an answer that asks for tools, by name and arguments."""
    return AIMessage(
        "", tool_calls=[{"name": name, "args": args, "id": f"call-{name}-{index}"} for index, (name, args) in enumerate(wanted)]
    )


def ask(text: str = "Hello") -> dict[str, Any]:
    """Return an agent's input."""
    return {"messages": [HumanMessage(text)]}


def types(captured: Captured) -> list[str]:
    """Return the types of the events, in order."""
    return [event["eventType"] for event in captured.events]


def only(captured: Captured, event_type: str) -> dict[str, Any]:
    """Return the one event of a type."""
    (event,) = captured.of_type(event_type)
    return event


def tool_spans(captured: Captured) -> dict[str, list[str]]:
    """Return the span ids of each tool's requests, after a check that each has one response."""
    asked = captured.of_type("tool_call_request")
    answered = [event["spanId"] for event in captured.of_type("tool_call_response")]
    assert sorted(answered) == sorted(event["spanId"] for event in asked)
    spans: dict[str, list[str]] = {}
    for event in asked:
        spans.setdefault(event["metadata"]["tool"], []).append(event["spanId"])
    return spans
