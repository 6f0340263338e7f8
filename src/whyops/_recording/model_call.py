"""A model's call that has begun: its prompt, told in ids, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quote
from typing import Any

from .._providers.answer import Answer, ServerCall
from .._providers.said import Said
from .._wire import line
from .._wire import write as contents
from .._wire.names import UNKNOWN
from ..types import MessageItem, UserMessageMetadata
from .expected import Expected, expect
from .place import Place
from .prompts import Division, Met, PromptId, met_tools
from .recorder import Recorder

_compact = json.JSONEncoder(separators=(",", ":")).encode


def says_something(messages: Sequence[MessageItem]) -> bool:
    """Tell whether one of the messages is a user's."""
    return any(message["role"] == "user" for message in messages)


def unsealed(_message: object) -> None:
    """Tell nothing of a message: it is taken apart each time."""


@dataclass(slots=True, eq=False, repr=False)
class Question:
    """What a model is asked, in a framework's own objects.

    `said` tells what makes a message up, `written` brings messages into our form, and `along` gives what goes along with those that are
    new: with the tools offered, if its second argument says so. `tools` are these as the framework holds them. `is_of_user` tells whether
    a user speaks in new messages, and not only an agent in the user's name. `seal` returns a value that is equal as long as nothing of what
    `said` reads in a message has changed, or None where that can't be told: it is cheaper, and so a message is taken apart once.
    """

    messages: Sequence[Any]
    said: Callable[[Any], Said]
    written: Callable[[Sequence[Any]], list[MessageItem]]
    along: Callable[[Sequence[MessageItem], bool], UserMessageMetadata]
    tools: object = None
    is_of_user: Callable[[Sequence[MessageItem]], bool] = says_something
    seal: Callable[[Any], object] = unsealed


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
    _ended_ns: int | None = field(default=None, init=False)
    _marks: str = field(default="", init=False)
    _tools: Met | None = field(default=None, init=False)
    _told: Division | None = field(default=None, init=False)
    _along: Mapping[str, Any] = field(default_factory=dict, init=False)
    _expected: Expected | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        recorder = self.place.trace.recorder
        self.id = recorder.ids.next()
        self._started_ns = recorder.clock.steady_ns()
        self._marks = line.asked(self.id)

    def expect_request(self, *, embeds: bool = False) -> None:
        """Let the request that is made for it from here on not be recorded again, should its client record."""
        self.expects(expect(embeds=embeds))

    def expects(self, expected: Expected) -> None:
        """Keep what lets its request not be recorded again, as long as one is to come."""
        self._expected = expected

    def expect_no_request(self) -> None:
        """Let what is requested from now on be a call of its own."""
        if self._expected is not None:
            self._expected.close()

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
        met = [memory.meet(message, question.seal(message), question.said) for message in question.messages]
        said = [one.said for one in met]
        tools = met_tools(question.tools) if question.tools else None
        division, tools_from = memory.divide(said, met), None if tools is None else memory.find(tools.said, tools)
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
            memory.remember(key, tools.said, tools.spread)

    def token(self, at_ns: int | None = None) -> None:
        """Take the time of the first token: now, or a time of the steady clock."""
        if self._first_token_ns is None:
            self.expect_no_request()
            self._first_token_ns = self.place.trace.recorder.clock.steady_ns() if at_ns is None else at_ns

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

    def leave_unanswered(self) -> None:
        """Record that the call ended, and that nobody told its answer."""
        self._record([Answer()], contents.unanswered(), is_whole=False)

    def _record(self, answers: Iterable[Answer], more: dict[str, Any], *, is_whole: bool) -> None:
        self.expect_no_request()
        elapsed_ms = self.elapsed_ms
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
                elapsed_ms,
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

    def starts_now(self) -> None:
        """Take the time at which the request goes out, where that is later than the making of this object."""
        self._started_ns = self.place.trace.recorder.clock.steady_ns()

    def took(self, elapsed_ns: int) -> None:
        """Take how long it took, in nanoseconds, where that is told at its end."""
        self._ended_ns = self.place.trace.recorder.clock.steady_ns()
        self._started_ns = self._ended_ns - elapsed_ns

    def token_after(self, seconds: float) -> None:
        """Take how long the first token took to come."""
        self.token(self._started_ns + int(seconds * 1_000_000_000))

    def stop_clock(self) -> None:
        """Take the time at which the answer ended, where that is before it is recorded."""
        if self._ended_ns is None:
            self._ended_ns = self.place.trace.recorder.clock.steady_ns()

    @property
    def elapsed_ms(self) -> float:
        """How long it has taken, so far or to its end."""
        ended_ns = self.place.trace.recorder.clock.steady_ns() if self._ended_ns is None else self._ended_ns
        return (ended_ns - self._started_ns) / 1_000_000

    def fail(self, error: BaseException, status: int | None = None) -> None:
        """Record what went wrong, unless it is no error, or was recorded further in; `status` is the provider's, if that is known."""
        self.expect_no_request()
        self.place.record_exception(error, marks=self._marks, status=status, more=self._asked_of)

    def tell_failure(self, message: object, kind: object) -> None:
        """Record what a provider says went wrong, and raises not."""
        tells_text = self.place.trace.recorder.capture_content
        content: Any = contents.error(message, None, None, tells_text=tells_text)[0]
        self.place.record("error", ({**content, **contents.known({"type": kind})}, self._asked_of), marks=self._marks)

    @property
    def _asked_of(self) -> dict[str, Any]:
        """What an error says of the model that was asked; nothing, where that is not known."""
        asked = contents.model_and_provider(self.model, self.provider)
        return {} if asked["model"] == UNKNOWN else asked

    def _record_answer(self, answer: Answer, parts: contents.Parts, more: Mapping[str, Any], *, is_whole: bool) -> None:
        recorder = self.place.trace.recorder
        key = recorder.ids.next()
        self.place.record("llm_response", parts, {**self._along, **more}, marks=self._marks, key=key)
        memory = self.place.trace.prompts()
        if self._told is not None:
            memory.tell(key, self._told)
        if self._tools is not None:
            memory.remember(key, self._tools.said, self._tools.spread)
        if answer.said is not None and is_whole:
            memory.remember_named(key, answer.said, None)  # what an answer's event holds has none
        self._marks, self._along, self._tools, self._told = line.asked(self.id), {}, None, None


def _json(division: Division, recorder: Recorder) -> str:
    """Return a prompt's ids as JSON; a name that a message has got since is content, and may be secret."""
    ids = [
        quote(one) if type(one) is str else _compact(_without_secrets(one, recorder)) if isinstance(one, dict) else str(one)
        for one in division.written
    ]
    return f"[{','.join(ids)}]"


def _without_secrets(renamed: Mapping[str, Any], recorder: Recorder) -> PromptId:
    name = json.loads(recorder.encode(renamed["name"])[0]) if recorder.capture_content else None
    return {**renamed, "name": name}
