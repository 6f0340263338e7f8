"""What a handler records through: where in a run something happens, and the calls of models and tools that have begun there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._recording import context
from ..._recording.prompts import Division, PromptId, Said
from ..._recording.recorder import Recorder
from ..._recording.tool import Observer
from ..._recording.tool_call import ToolCallWriter
from ..._recording.trace_writer import TraceWriter
from ..._wire import line
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
        self,
        event_type: EventType,
        parts: contents.Parts,
        more: Mapping[str, object] | None = None,
        span_id: str | None = None,
        marks: str = "",
        key: str | None = None,
    ) -> None:
        """Record an event; `more` is added to its metadata, and so are `marks`, which are JSON. `key` is its idempotency key."""
        self.trace.record_event(
            event_type,
            parts,
            span_id=span_id,
            parent_id=self.parent_id,
            metadata={**self.labels, **(more or {})},
            marks=marks,
            key=None if key is None else f'"{key}"',
        )

    def record_told(self, tool_call_id: object, content: object, said: Said | None) -> None:
        """Record what a model is told as the result of a call that it chose and no tool ran.

        `said` is the message that tells it, if that holds `content` as it is: a later prompt tells it by its id.
        """
        memory = self.trace.prompts()
        tool = memory.chosen.pop(tool_call_id, None)
        key = self.trace.recorder.ids.next()
        self.record("tool_result", contents.tool_result(tool, content), {"tool_call_id": tool_call_id}, key=key)
        if said is not None:
            memory.remember(key, said._replace(name=contents.name_or_unknown(tool)))

    def record_exception(self, error: BaseException, span_id: str | None = None, marks: str = "") -> None:
        """Record `error` once for the trace, unless it is none."""
        self.trace.record_exception(
            error,
            span_id=span_id,
            parent_id=self.parent_id,
            hides_text=context.hides_text(),
            metadata=self.trace.shown_labels(self.labels),
            marks=marks,
        )


@dataclass
class ServerCall:
    """A tool's call that the provider's server made while the model answered."""

    name: str
    arguments: dict[str, object]
    id: object = None
    result: object = None
    failed: bool = False


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
    server_calls: list[ServerCall] = field(default_factory=list)
    more: dict[str, object] = field(default_factory=dict)
    """What else the event's metadata is to say."""

    said: Said | None = None
    """The answer as a message of a later prompt, if that holds what is recorded of it, and no more."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come of it."""
        return not (self.content or self.thinking or self.tool_calls or self.server_calls)


def is_told_by(answer: Answer, message: Mapping[str, Any]) -> bool:
    """Tell whether a message of a later prompt, in our form, holds what is recorded of an answer, and no more."""
    calls = message.get("tool_calls", [])
    return bool(message["role"] == "assistant" and message["content"] == (answer.content or "") and calls == answer.tool_calls)


def says_something(messages: Sequence[MessageItem]) -> bool:
    """Tell whether one of the messages is a user's."""
    return any(message["role"] == "user" for message in messages)


@dataclass(slots=True, eq=False, repr=False)
class Question:
    """What a model is asked, in a framework's own objects.

    `said` tells what makes a message up, `written` brings messages into our form, and `along` gives what goes along with those that are
    new: with the tools offered, if its second argument says so. `tools` are these as the framework holds them. `is_of_user` tells whether
    a user speaks in new messages, and not only an agent in the user's name.
    """

    messages: Sequence[Any]
    said: Callable[[Any], Said]
    written: Callable[[Sequence[Any]], list[MessageItem]]
    along: Callable[[Sequence[MessageItem], bool], UserMessageMetadata]
    tools: object = None
    is_of_user: Callable[[Sequence[MessageItem]], bool] = says_something


@dataclass(slots=True, eq=False, repr=False)
class ModelCall:
    """A model's call that has begun. `model` and `provider` are the ones that are asked; an answer may name others.

    Prompt, reasoning, answer and error have its `id`. A prompt that holds nothing new is told in ids, beside the answer or the error.
    """

    place: Place
    model: object
    provider: object
    id: str = field(init=False)
    _started_ns: int = field(init=False)
    _first_token_ns: int | None = field(default=None, init=False)
    _marks: str = field(default="", init=False)
    _tools: Said | None = field(default=None, init=False)
    _told: Division | None = field(default=None, init=False)
    _along: Mapping[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        recorder = self.place.trace.recorder
        self.id = recorder.ids.next()
        self._started_ns = recorder.clock.steady_ns()
        self._marks = line.asked(self.id)

    @property
    def has_token(self) -> bool:
        """Whether anything of the answer has come."""
        return self._first_token_ns is not None

    def prompt(self, messages: Sequence[MessageItem], metadata: UserMessageMetadata) -> None:
        """Record what the model is asked, whole."""
        self.place.record("user_message", contents.user_message(messages, metadata), marks=self._marks)

    def ask(self, question: Question) -> None:
        """Record what the model is asked: the messages that are new to the trace, and of all the ids."""
        recorder = self.place.trace.recorder
        memory = self.place.trace.prompts()
        said = [question.said(message) for message in question.messages]
        tools = Said("tools", question.tools) if question.tools else None
        division, tools_from = memory.divide(said), None if tools is None else memory.find(tools)
        new = question.written([question.messages[place] for place in division.new])
        along = question.along(new, tools_from is None)
        is_of_agent = says_something(new) and not question.is_of_user(new)
        marks = line.asked(self.id, _json(division, recorder), tools_from, is_of_agent=is_of_agent)
        tools = None if tools_from else tools
        if not division.new:
            self._marks, self._along, self._tools, self._told = marks, dict(along), tools, division
            return
        key = recorder.ids.next()
        self.place.record("user_message", contents.user_message(new, along), marks=marks, key=key)
        for index, (place, spread) in enumerate(zip(division.new, division.spreads, strict=True)):
            if spread is not None:
                memory.remember(line.message_key(key, index), said[place], spread)
        memory.tell(key, division)
        if tools is not None:
            memory.remember(key, tools)

    def token(self) -> None:
        """Take the time of the first token."""
        if self._first_token_ns is None:
            self._first_token_ns = self.place.trace.recorder.clock.steady_ns()

    def answer(self, answers: Iterable[Answer], error: BaseException | None = None) -> None:
        """Record each alternative, its reasoning first. `error` is what ended the answer before it was complete.

        Where nothing had come before an error, there is no answer; where something else stopped the model, its end says so.
        """
        if error is not None:
            answers = [answer for answer in answers if not answer.is_empty]
            if not answers and not isinstance(error, Exception):
                answers = [Answer()]
        self._record(answers, contents.stopped(error), is_whole=error is None)

    def interrupt(self, answers: Sequence[Answer], reason: str) -> None:
        """Record that the call was stopped from outside, with what had come of the answer."""
        more = contents.stopped(GeneratorExit()) if reason == "GeneratorExit" else contents.interrupted(reason)
        self._record([answer for answer in answers if not answer.is_empty] or [Answer()], more, is_whole=False)

    def _record(self, answers: Iterable[Answer], more: dict[str, Any], *, is_whole: bool) -> None:
        elapsed_ns = self.place.trace.recorder.clock.steady_ns() - self._started_ns
        if self._first_token_ns is not None:
            more["timeToFirstTokenMs"] = (self._first_token_ns - self._started_ns) / 1_000_000
        for answer in answers:
            for thinking, signature in answer.thinking:
                self.place.record("llm_thinking", contents.llm_thinking(thinking, signature), marks=line.asked(self.id))
            for call in answer.server_calls:
                self._record_server_call(call)
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
            self._record_answer(answer, parts, {**answer.more, **more, **cached}, is_whole=is_whole)

    def _record_server_call(self, call: ServerCall) -> None:
        """Record a call that has run elsewhere, with its result: nobody told when it began or how long it took."""
        span_id = self.place.trace.recorder.ids.next()
        marks = line.asked(self.id)
        more = contents.known({"server_side": True, "tool_call_id": call.id})
        called = [{"name": call.name, "arguments": call.arguments}]
        self.place.record("tool_call_request", contents.tool_call_request(call.name, called, None, None), more, span_id, marks)
        outcome = {"error": call.result or True} if call.failed else call.result
        self.place.record("tool_call_response", contents.tool_call_response(call.name, called, outcome, None, None), more, span_id, marks)

    def fail(self, error: BaseException) -> None:
        """Record what went wrong, unless it is no error, or was recorded further in."""
        self.place.record_exception(error, marks=self._marks)

    def _record_answer(self, answer: Answer, parts: contents.Parts, more: Mapping[str, Any], *, is_whole: bool) -> None:
        recorder = self.place.trace.recorder
        key = recorder.ids.next()
        self.place.record("llm_response", parts, {**self._along, **more}, marks=self._marks, key=key)
        memory = self.place.trace.prompts()
        if self._told is not None:
            memory.tell(key, self._told)
        if self._tools is not None:
            memory.remember(key, self._tools)
        if answer.said is not None and is_whole:
            memory.remember(key, answer.said._replace(name=None))  # what an answer's event holds has none
        self._marks, self._along, self._tools, self._told = line.asked(self.id), {}, None, None


def _json(division: Division, recorder: Recorder) -> str:
    """Return a prompt's ids as JSON; a name that a message has got since is content, and may be secret."""
    ids = [_without_secrets(one, recorder) if isinstance(one, dict) else one for one in division.written]
    return json.dumps(ids, separators=(",", ":"))


def _without_secrets(renamed: Mapping[str, Any], recorder: Recorder) -> PromptId:
    name = json.loads(recorder.encode(renamed["name"])[0]) if recorder.capture_content else None
    return {**renamed, "name": name}


class ToolRun:
    """A tool's call that has begun: its request is recorded.

    `observers` are what `@whyops.tool` has put around the tool's functions. They say what is not to be recorded, and their own record of
    this call is left out.
    """

    __slots__ = ("_name", "_observers", "_unclaimed", "call", "tool_call_id")

    def __init__(
        self,
        place: Place,
        name: str,
        arguments: Mapping[str, Any],
        observers: Sequence[Observer] = (),
        tool_call_id: object = None,
    ) -> None:
        self._name = name
        self.tool_call_id = tool_call_id
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

    def is_said(self, said: Said) -> None:
        """Take note of the message that tells a model of the result which was recorded."""
        self.call.trace.prompts().remember(line.response_key(self.call.span_id), said._replace(name=self._name))

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
