"""What a scenario is run with: scripted models that keep what they were given, and what that is in the form of a recorded prompt."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

from langchain_core.language_models import chat_models
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.pregel import Pregel
from pydantic import PrivateAttr

import whyops
from tests.integrations.langchain.parts import Scripted, Streaming
from whyops._providers.messages import MAX_DATA
from whyops._wire.names import PROXY_ARGUMENT
from whyops._wire.prompt import ModelToolCall, PromptMessage
from whyops._wire.signature import strip_signature
from whyops.integrations.langchain import WhyOpsCallbackHandler

ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "system": "system", "tool": "tool", "function": "tool"}
ELSEWHERE = {"thinking", "redacted_thinking", "reasoning", "tool_use", "tool_call", "function_call", "input_json_delta"}
"""The parts of a message that are recorded apart from its content: as reasoning, and as tool calls."""


@dataclass
class Kept:
    """What a model was given in one call, in which trace, and the text that it answered."""

    trace_id: str
    prompt: list[PromptMessage]
    answer: str = ""

    def hears(self, message: BaseMessage) -> None:
        """Take note of an answer, or of a piece of one that is streamed."""
        self.answer += str(message.text)


@dataclass
class Run:
    """One run of a scenario: where it is recorded, and what its models kept."""

    trace_id: str
    streamed: bool
    restart: Callable[[], None]
    patch: Callable[[object, str, object], None]
    url: str = ""
    kept: list[Kept] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=lambda: {"callbacks": [WhyOpsCallbackHandler()]})

    def model(self, *answers: Any, reply: Callable[[list[BaseMessage]], Any] | None = None, **more: Any) -> Scripted:
        """Return a model that answers so, then `Answer 1.` and so on."""
        kind = StreamingKeeping if self.streamed else Keeping
        script = [*answers, *(f"Answer {number}." for number in range(1, 30))]
        return kind(answers=script, reply=reply, **more).for_run(self)

    def invoke(self, runnable: Any, given: Any, config: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Run something as the scenario is run, streamed or not; returns what comes out."""
        config = {**self.config, **(config or {})}
        if not self.streamed:
            return runnable.invoke(given, config, **more)
        if isinstance(runnable, Pregel):
            parts = list(runnable.stream(given, config, stream_mode=["messages", "values"], **more))
            return [part for mode, part in parts if mode == "values"][-1]
        return reduce(add, runnable.stream(given, config, **more))

    def in_thread(self, name: str = "thread") -> dict[str, Any]:
        """Return a config that names LangGraph's thread."""
        return {**self.config, "configurable": {"thread_id": name}}

    @contextmanager
    def trace(self, name: str) -> Iterator[None]:
        """Record what is inside in another trace."""
        before, self.trace_id = self.trace_id, f"{self.trace_id}-{name}"
        with whyops.trace(self.trace_id):
            yield
        self.trace_id = before

    def keep(self, messages: list[BaseMessage]) -> Kept:
        """Take note of what a model is given."""
        kept = Kept(self.trace_id, [plain(message) for message in messages])
        self.kept.append(kept)
        return kept


class Keeping(Scripted):
    """Keeps what it is given, as it is then."""

    _run: Run = PrivateAttr()

    def for_run(self, run: Run) -> Keeping:
        self._run = run
        return self

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        kept = self._run.keep(messages)
        answer = super()._next(messages)
        kept.hears(answer)
        return answer


class StreamingKeeping(Streaming, Keeping):
    """The same, streamed."""


def plain(message: BaseMessage) -> PromptMessage:
    """Return a message as a recorded prompt has it."""
    calls = [*getattr(message, "tool_calls", ()), *getattr(message, "invalid_tool_calls", ())]
    wanted = tuple(ModelToolCall(call["id"], call["name"], arguments(call["args"])) for call in calls)
    role = ROLES.get(message.type, getattr(message, "role", message.type))
    (told,) = chat_models._format_for_tracing([message])  # images and files in one form, whatever the model was given them in
    return PromptMessage(role, content(told.content), wanted, getattr(message, "tool_call_id", None), message.name)


def arguments(given: Any) -> Any:
    """Return a copy of a call's arguments, without the one that the proxy adds."""
    return {name: copy.deepcopy(each) for name, each in given.items() if name != PROXY_ARGUMENT} if isinstance(given, dict) else given


def content(given: Any) -> Any:
    """Return the text of a message; its parts, if it has others than text, reasoning and calls."""
    if isinstance(given, str):
        return strip_signature(given)
    parts = [part for part in given if isinstance(part, str) or part.get("type") not in ELSEWHERE]
    texts = [part if isinstance(part, str) else part.get("text") if part.get("type", "text") == "text" else None for part in parts]
    return strip_signature("".join(texts)) if None not in texts else [shown(part) for part in parts]  # type: ignore[arg-type]  # none is None


def shown(part: Any) -> Any:
    """Return a copy of a part, with long data told by its length."""
    if isinstance(part, dict):
        return {name: shown(each) for name, each in part.items()}
    if isinstance(part, bytearray):
        return f"[{len(part)} bytes]"
    if not isinstance(part, str) or len(part) <= MAX_DATA or " " in part:
        return copy.deepcopy(part)
    head, comma, data = part.rpartition(",")
    return f"{head}{comma}[{len(data)} characters]"
