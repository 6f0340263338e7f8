"""A model's call: the prompt, and the answers with their reasoning, tokens and times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..._wire import write as contents
from ...types import MessageItem, ToolCallItem, UserMessageMetadata
from .place import Place


@dataclass
class Answer:
    """One of the alternatives that a model gave, as far as it gave it."""

    content: object = None
    thinking: list[tuple[str, object]] = field(default_factory=list)
    tool_calls: list[ToolCallItem] = field(default_factory=list)
    finish_reason: object = None
    model: object = None
    provider: object = None
    usage: object = None
    cached: bool = False


class ModelCall:
    """A model's call that has begun. `model` and `provider` are the ones that are asked; an answer may name others."""

    __slots__ = ("_first_token_ns", "_started_ns", "model", "place", "provider")

    def __init__(self, place: Place, model: object, provider: object) -> None:
        self.place = place
        self.model = model
        self.provider = provider
        self._started_ns = place.trace.recorder.clock.steady_ns()
        self._first_token_ns: int | None = None

    @property
    def has_token(self) -> bool:
        """Whether anything of the answer has come."""
        return self._first_token_ns is not None

    def prompt(self, messages: Sequence[MessageItem], metadata: UserMessageMetadata) -> None:
        """Record what the model is asked."""
        self.place.record("user_message", contents.user_message(messages, metadata))

    def token(self) -> None:
        """Take the time of the first token."""
        if self._first_token_ns is None:
            self._first_token_ns = self.place.trace.recorder.clock.steady_ns()

    def answer(self, answers: Iterable[Answer], error: BaseException | None = None) -> None:
        """Record each alternative, its reasoning first. `error` is what ended the answer before it was complete."""
        elapsed_ns = self.place.trace.recorder.clock.steady_ns() - self._started_ns
        more = contents.stopped(error)
        if self._first_token_ns is not None:
            more["timeToFirstTokenMs"] = (self._first_token_ns - self._started_ns) / 1_000_000
        for answer in answers:
            for thinking, signature in answer.thinking:
                self.place.record("llm_thinking", contents.llm_thinking(thinking, signature))
            parts = contents.llm_response(
                answer.model or self.model,
                answer.provider or self.provider,
                answer.content,
                answer.tool_calls,
                answer.finish_reason,
                answer.usage,
                elapsed_ns / 1_000_000,
            )
            self.place.record("llm_response", parts, {**more, "cached": True} if answer.cached else more)
