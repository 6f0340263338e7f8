"""One call of a model or an embedding model, from its start to its real end: what both ways of listening record through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._recording.trace import Trace
from ..._wire import write as contents
from ..._wire.signature import strip_signature
from ...types import EventType
from . import _translate as translate

_MOST_CHARACTERS = 262_144


class Place:
    """Where in a run something happens: its trace, the recorded span around it, and what its events say about agent and step."""

    __slots__ = ("labels", "parent_id", "trace")

    def __init__(self, trace: Trace, parent_id: str | None, labels: Mapping[str, str]) -> None:
        self.trace = trace
        self.parent_id = parent_id
        self.labels = labels

    def labelled(self, labels: Mapping[str, str]) -> Place:
        """Return the same place, with more to say."""
        return Place(self.trace, self.parent_id, {**self.labels, **labels})


class Named:
    """Who answers: a model's name and its provider's."""

    __slots__ = ("model", "provider")

    def __init__(self, model_dict: Mapping[str, object], instance: object) -> None:
        self.model = translate.model_of(model_dict, instance)
        self.provider = translate.provider_of(model_dict, instance)


class ModelCall:
    """A model call that has begun. It keeps the last chunk of a stream, and the text so far, until the stream ends.

    With `recorded` off it is only followed, so that the calls that the model's class makes of itself are still known as the same call.
    """

    __slots__ = (
        "_characters",
        "_finish_reason",
        "_first_ns",
        "_last",
        "_over",
        "_place",
        "_started_ns",
        "_text",
        "_thinking",
        "_usage",
        "_who",
        "inner",
        "instance",
        "method",
        "prompt",
        "recorded",
    )

    def __init__(
        self, place: Place, who: Named, prompt: object, *, instance: object = None, method: str = "", recorded: bool = True
    ) -> None:
        self.instance = instance
        self.method = method
        self.prompt = prompt
        self.recorded = recorded
        self.inner = False
        self._place = place
        self._who = who
        self._started_ns = place.trace.recorder.clock.steady_ns()
        self._first_ns: int | None = None
        self._last: object = None
        self._over = False
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._characters = 0
        self._finish_reason: object = None
        self._usage: dict[str, int] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has come."""
        return self._first_ns is not None

    def may_become(self, instance: object, method: str, prompt: object) -> bool:
        """Tell whether a synchronous stream is what this asynchronous one, which was never read so far, is made of."""
        if self.instance is not instance or self.method != f"a{method}" or self.inner or self.has_begun:
            return False
        return _is_same(self.prompt, prompt)

    def is_made_of(self, who: Named, prompt: object, *, deeper: bool) -> bool:
        """Tell whether a call that begins now is this one, made by the model's class of another method of its own.

        `deeper`: it begins inside this one. Else this one may be a stream that has handed itself out, and begins to be read.
        """
        if self._over or (who.model, who.provider) != (self._who.model, self._who.provider):
            return False
        return _is_put_into(self.prompt, prompt) if deeper else not self.inner and _is_same(self.prompt, prompt)

    def asked(self, kwargs: Mapping[str, Any]) -> None:
        """Record what the model is asked, if the user is the one who speaks. `kwargs` are the call's other arguments."""
        if not self.recorded:
            return
        recorder = self._place.trace.recorder
        messages = translate.prompt_messages(self.prompt, recorder.encode)
        if translate.ends_in_users_words(messages):
            metadata = translate.sent_along(messages, self.instance, kwargs)
            self._record("user_message", contents.user_message(messages, metadata))

    def received(self, chunk: object) -> None:
        """Take note of a chunk, which may turn out to be the last."""
        if self._first_ns is None:
            self._first_ns = self._place.trace.recorder.clock.steady_ns()
        if not self.recorded:
            return
        self._last = chunk
        self._finish_reason = translate.finish_reason_of(chunk) or self._finish_reason
        self._usage = translate.usage_of(chunk) or self._usage
        for kept, text in ((self._text, translate.delta_of(chunk)), (self._thinking, translate.thinking_delta_of(chunk))):
            if text and self._characters < _MOST_CHARACTERS:
                kept.append(text)
                self._characters += len(text)

    def answered(self, response: object) -> None:
        """Record the answer, at its real end."""
        self._over = True
        self._respond(response if response is not None else self._last, {})

    def stopped(self, error: BaseException) -> None:
        """Record what came until the call was left early, cancelled, or failed; and the error, if it is one."""
        self._over = True
        if isinstance(error, GeneratorExit):
            self._respond(self._last, {"closedEarly": True})
            return
        if self.has_begun:
            self._respond(self._last, {"interrupted": type(error).__name__})
        self._place.trace.record_exception(error, parent_id=self._place.parent_id)

    def _respond(self, response: object, note: Mapping[str, object]) -> None:
        if not self.recorded:
            return
        recorder = self._place.trace.recorder
        elapsed = recorder.clock.steady_ns() - self._started_ns
        answer = translate.answer_of(response, recorder.encode)
        # Of a stream that was left early, the last chunk need not hold all that came before it.
        text = max(answer.text or "", self._text_so_far(), key=len) if note else answer.text
        for thinking, signature in answer.thinking or self._thinking_so_far():
            self._record("llm_thinking", contents.llm_thinking(thinking, signature))
        parts = contents.llm_response(
            self._who.model,
            self._who.provider,
            text,
            answer.tool_calls,
            answer.finish_reason or self._finish_reason,
            answer.usage or self._usage,
            elapsed / 1_000_000,
        )
        first = {} if self._first_ns is None else {"timeToFirstTokenMs": (self._first_ns - self._started_ns) / 1_000_000}
        self._record("llm_response", parts, {**first, **note})

    def _text_so_far(self) -> str:
        return strip_signature("".join(self._text))

    def _thinking_so_far(self) -> Sequence[tuple[str, str | None]]:
        return [("".join(self._thinking), None)] if self._thinking else []

    def _record(self, event_type: EventType, parts: contents.Parts, note: Mapping[str, object] | None = None) -> None:
        place = self._place
        place.trace.record_event(event_type, parts, parent_id=place.parent_id, metadata={**place.labels, **(note or {})})


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

    __slots__ = ("_place", "_span_id", "_started_ns", "_who")

    def __init__(self, place: Place, who: Named) -> None:
        self._place = place
        self._who = who
        self._span_id = place.trace.recorder.ids.next()
        self._started_ns = place.trace.recorder.clock.steady_ns()

    def asked(self, texts: Sequence[object]) -> None:
        """Record the texts."""
        self._record("embedding_request", contents.embedding_request(texts))

    def answered(self, vectors: object) -> None:
        """Record that vectors came back: how many, and of how many dimensions."""
        elapsed = self._place.trace.recorder.clock.steady_ns() - self._started_ns
        count, dimensions = translate.vectors_of(vectors)
        who = self._who
        self._record(
            "embedding_response", contents.embedding_response(who.model, who.provider, count, dimensions, None, elapsed / 1_000_000)
        )

    def failed(self, error: BaseException) -> None:
        """Record the error, if it is one."""
        self._place.trace.record_exception(error, span_id=self._span_id, parent_id=self._place.parent_id)

    def _record(self, event_type: EventType, parts: contents.Parts) -> None:
        place = self._place
        place.trace.record_event(event_type, parts, span_id=self._span_id, parent_id=place.parent_id, metadata=place.labels)
