"""What a handler records through: where in a run something happens, and the calls of models and tools that have begun there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._recording import context
from ..._recording.tool import Observer
from ..._recording.tool_call import ToolCallWriter
from ..._recording.trace_writer import TraceWriter
from ..._wire import write as contents
from ..._wire.exceptions import NOT_CAPTURED
from ...types import EventType, MessageItem, ToolCallItem, UserMessageMetadata


@dataclass(slots=True, eq=False)
class Place:
    """A trace, the recorded span around what happens, and what its events say of it: an agent and its step, a node of a graph."""

    trace: TraceWriter
    parent_id: str | None
    labels: Mapping[str, object] = field(default_factory=dict)

    def labelled(self, labels: Mapping[str, object]) -> Place:
        """Return the same place, with more to say."""
        return Place(self.trace, self.parent_id, {**self.labels, **labels})

    def record(
        self, event_type: EventType, parts: contents.Parts, more: Mapping[str, object] | None = None, span_id: str | None = None
    ) -> None:
        """Record an event; `more` is added to its metadata."""
        self.trace.record_event(event_type, parts, span_id=span_id, parent_id=self.parent_id, metadata={**self.labels, **(more or {})})

    def record_exception(self, error: BaseException, span_id: str | None = None) -> None:
        """Record `error` once for the trace, unless it is none."""
        self.trace.record_exception(
            error, span_id=span_id, parent_id=self.parent_id, hides_text=context.hides_text(), metadata=self.trace.shown_labels(self.labels)
        )


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
    more: dict[str, object] = field(default_factory=dict)
    """What else the event's metadata is to say."""


@dataclass(slots=True, eq=False, repr=False)
class ModelCall:
    """A model's call that has begun. `model` and `provider` are the ones that are asked; an answer may name others."""

    place: Place
    model: object
    provider: object
    _started_ns: int = field(init=False)
    _first_token_ns: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._started_ns = self.place.trace.recorder.clock.steady_ns()

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
            cached = {"cached": True} if answer.cached else {}
            self.place.record("llm_response", parts, {**answer.more, **more, **cached})


class ToolRun:
    """A tool's call that has begun: its request is recorded.

    `observers` are what `@whyops.tool` has put around the tool's functions. They say what is not to be recorded, and their own record of
    this call is left out.
    """

    __slots__ = ("_observers", "_unclaimed", "call")

    def __init__(
        self,
        place: Place,
        name: str,
        arguments: Mapping[str, Any],
        observers: Sequence[Observer] = (),
        tool_call_id: object = None,
    ) -> None:
        self._observers = self._unclaimed = observers
        ignored = {name for observer in observers for name in observer.ignored}
        shown = {name: value for name, value in arguments.items() if name not in ignored}
        if not all(observer.captures_arguments for observer in observers):
            shown = dict.fromkeys(shown, NOT_CAPTURED)
        labels = {**place.labels, "tool_call_id": tool_call_id} if tool_call_id else place.labels
        hides_text = any(observer.hides_text for observer in observers)
        self.call = ToolCallWriter(place.trace, name, place.trace.encode_arguments(shown), place.parent_id, labels, hides_text)
        self.call.begin()

    def claims(self, observer: object) -> bool:
        """Tell whether the call that `observer` sees is this one: the first one of the tool's function, which may go on to call itself."""
        if not any(observer is own for own in self._unclaimed):
            return False
        self._unclaimed = ()
        return True

    def succeed(self, result: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record what the tool gave."""
        is_captured = all(observer.captures_result for observer in self._observers)
        self.call.succeed(result if is_captured else NOT_CAPTURED, metadata)

    def report(self, failure: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record a failure that the tool tells without raising."""
        self.call.succeed({"error": NOT_CAPTURED if self.call.hides_text else failure}, metadata)

    def fail(self, error: BaseException) -> None:
        """Record the exception that the tool raised."""
        self.call.fail(error, expected=tuple(kind for observer in self._observers for kind in observer.expected))
