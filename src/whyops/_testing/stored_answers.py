"""What the models of a recorded run answered, each answer given once, in order."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._render.format import content_text
from .._trace.model_calls import ModelCall
from .._trace.recorded import RecordedTrace
from .._wire.names import UNKNOWN
from .._wire.values import as_mapping


class Asked(NamedTuple):
    """A tool that a model asked for."""

    id: str
    name: str
    arguments: dict[str, Any]


class Answer(NamedTuple):
    """A model's answer: its text, the tools that it asked for, the tokens that it used."""

    model: str
    text: str
    asked: tuple[Asked, ...]
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int


class StoredAnswers:
    """Gives back answers in the order in which they were recorded, but for those of models that tools asked: these don't run."""

    def __init__(self, trace: RecordedTrace) -> None:
        inside = {call.span_id for call in trace.calls} - {None}
        own = (call for call in trace.model_calls if not any(event.parent_span_id in inside for event in call.events))
        self.unused: list[ModelCall] = [call for call in own if call.answer is not None or call.tool_calls]
        self.model: str = next((call.model for call in self.unused), UNKNOWN)
        """The name of the model that answered first."""
        self._number = 0
        self._lock = threading.Lock()

    def take(self) -> Answer | None:
        """Return the next answer; None if there is none left."""
        with self._lock:
            if not self.unused:
                return None
            call = self.unused.pop(0)
            self._number += 1
            asked = tuple(
                Asked(one.id or f"call-{self._number}-{place}", one.name or "", _mapping(one.arguments))
                for place, one in enumerate(call.tool_calls)
            )
        usage = call.usage
        return Answer(
            call.model,
            content_text(call.answer),
            asked,
            call.finish_reason,
            usage.prompt + usage.cache_read + usage.cache_creation,
            usage.completion,
        )


def _mapping(arguments: object) -> dict[str, Any]:
    found: Mapping[str, Any] = as_mapping(arguments)
    return dict(found)
