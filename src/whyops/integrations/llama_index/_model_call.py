"""One call of a model or an embedding model, from its start to its real end: what both ways of listening record through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._recording.expected import expect
from ..._recording.model_call import ModelCall
from ..._recording.place import Place
from ..._wire import write as contents
from ..._wire.exceptions import is_error
from ..._wire.signature import strip_signature
from . import _translate

_MOST_CHARACTERS = 262_144

Who = tuple[str, str]
"""The names of a model and of its provider."""


@dataclass(slots=True, eq=False, repr=False)
class FollowedCall(ModelCall):
    """A model call that has begun. It keeps the last chunk of a stream, and the text so far, until the stream ends.

    With `recorded` off it is only followed, so that the calls that the model's class makes of itself are still known as the same call.
    """

    question: object
    instance: object = None
    method: str = ""
    recorded: bool = True
    captures_prompts: bool = True
    inner: bool = field(default=False, init=False)
    said: list[object] | None = field(default=None, init=False)
    answers_in_form: bool = field(default=False, init=False)
    """Whether the call of a tool would be the answer, in the form that was asked for, and no call."""

    _begun: bool = field(default=False, init=False)
    _last: object = field(default=None, init=False)
    _over: bool = field(default=False, init=False)
    _text: list[str] = field(default_factory=list, init=False)
    _thinking: list[str] = field(default_factory=list, init=False)
    _characters: int = field(default=0, init=False)
    _finish_reason: object = field(default=None, init=False)
    _usage: dict[str, int] | None = field(default=None, init=False)
    _reasoning_tokens: int | None = field(default=None, init=False)

    def may_become(self, instance: object, method: str, question: object) -> bool:
        """Tell whether a synchronous stream is what this asynchronous one, which was never read so far, is made of."""
        if self.instance is not instance or self.method != f"a{method}" or self.inner or self._begun:
            return False
        return _is_same(self.question, question)

    def is_made_of(self, who: Who, question: object, *, deeper: bool) -> bool:
        """Tell whether a call that begins now is this one, made by the model's class of another method of its own.

        `deeper`: it begins inside this one. Else this one may be a stream that has handed itself out, and begins to be read.
        """
        if self._over or who != (self.model, self.provider):
            return False
        return _is_put_into(self.question, question) if deeper else not self.inner and _is_same(self.question, question)

    def asked(self, kwargs: Mapping[str, object]) -> None:
        """Record what the model is asked; else only where the user is the one who speaks. `kwargs` are the call's other arguments."""
        if not self.recorded:
            return
        if self.captures_prompts:
            self.ask(_translate.asked(self.question, self.instance, kwargs, self.place.trace.recorder.encode))
            return
        messages = _translate.prompt_messages(self.question, self.place.trace.recorder.encode)
        if _translate.ends_in_users_words(messages):
            self.prompt(messages, _translate.sent_along(messages, self.instance, kwargs))

    def received(self, chunk: object) -> None:
        """Take note of a chunk, which may turn out to be the last; a first one often says only who speaks."""
        self._begun = True
        if not self.recorded:
            return
        if not self.has_token and _translate.says_something(chunk):
            self.token()
        self._last = chunk
        self._finish_reason = _translate.finish_reason_of(chunk) or self._finish_reason
        self._usage = _translate.usage_of(chunk) or self._usage
        self._reasoning_tokens = _translate.reasoning_tokens_of(chunk) or self._reasoning_tokens
        for kept, text in ((self._text, _translate.delta_of(chunk)), (self._thinking, _translate.thinking_delta_of(chunk))):
            if text and self._characters < _MOST_CHARACTERS:
                kept.append(text)
                self._characters += len(text)

    def answered(self, response: object) -> None:
        """Record the answer, at its real end."""
        self._over = True
        self._respond(response if response is not None else self._last)

    def stopped(self, error: BaseException) -> None:
        """Record what came until the call was left early, cancelled, or failed; and the error, if it is one."""
        self._over = True
        if self.has_token or not is_error(error):
            self._respond(self._last, error)
        self.fail(error)

    def _respond(self, response: object, error: BaseException | None = None) -> None:
        answer = _translate.answer_of(response, self.place.trace.recorder.encode)
        if self.said is not None:
            self.said.append(answer.content)
        if not self.recorded:
            return
        if error is not None:  # the last chunk need not hold all that came before it
            answer.content = max(str(answer.content or ""), strip_signature("".join(self._text)), key=len) or None
        if self._thinking and not answer.thinking:
            answer.thinking = [("".join(self._thinking), None)]
        answer.finish_reason = answer.finish_reason or self._finish_reason
        answer.usage = answer.usage or self._usage
        if self._reasoning_tokens is not None:
            answer.more.setdefault("reasoningTokens", self._reasoning_tokens)
        if self.answers_in_form and answer.tool_calls:
            answer.more["structured_output"] = True
        self.answer([answer], error)


def _is_put_into(messages: object, prompt: object) -> bool:
    """Tell whether a prompt is the same, or one text made of messages."""
    if isinstance(prompt, str) and isinstance(messages, list) and messages:
        return (getattr(messages[-1], "content", None) or "") in prompt
    return _is_same(messages, prompt)


def _is_same(prompt: object, other: object) -> bool:
    """Compare prompts: the same text, or a list of the very same messages."""
    if isinstance(prompt, list) and isinstance(other, list):
        return len(prompt) == len(other) and all(one is another for one, another in zip(prompt, other, strict=True))
    return prompt == other


class EmbeddingCall:
    """A call of an embedding model that has begun."""

    __slots__ = ("_expected", "_place", "_span_id", "_started_ns", "_who")

    def __init__(self, place: Place, who: Who) -> None:
        self._place = place
        self._who = who
        self._span_id = place.trace.recorder.ids.next()
        self._started_ns = place.trace.recorder.clock.steady_ns()
        self._expected = expect(embeds=True)

    def asked(self, texts: Sequence[object]) -> None:
        """Record the texts."""
        self._place.record("embedding_request", contents.embedding_request(texts), span_id=self._span_id)

    def answered(self, vectors: object) -> None:
        """Record that vectors came back: how many, and of how many dimensions."""
        self._expected.close()
        elapsed = self._place.trace.recorder.clock.steady_ns() - self._started_ns
        parts = contents.embedding_response(*self._who, *_translate.vectors_of(vectors), None, elapsed / 1_000_000)
        self._place.record("embedding_response", parts, span_id=self._span_id)

    def failed(self, error: BaseException) -> None:
        """Record the error, if it is one."""
        self._expected.close()
        self._place.record_exception(error, self._span_id)
