"""`gen_ai.input.messages` and what belongs to it: JSON in a span's attributes, or in its event of an operation's details. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer
from ...types import MessageItem
from ._parts import Message, message_of
from ._told import Span, first, items_in

_DETAILS = "gen_ai.client.inference.operation.details"


@dataclass(slots=True)
class Exchange:
    """What a model was asked and what it answered."""

    messages: list[MessageItem] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of either was told."""
        return not self.messages and not self.answers


def exchange(span: Span, encode: Encode) -> Exchange:
    """Return what a model's span tells in the newest form."""
    held: dict[str, Any] = {}
    for event in span.get("events") or ():
        if event.get("name") == _DETAILS:
            held.update(event.get("attributes") or {})
    held.update(span["attributes"])
    told = Exchange()
    system = items_in(held.get("gen_ai.system_instructions"))
    if system:
        told.messages += message_of("system", system, encode).items()
    for each in items_in(held.get("gen_ai.input.messages")):
        told.messages += _message(each, encode).items()
    for each in items_in(held.get("gen_ai.output.messages")):
        reason = each.get("finish_reason") if isinstance(each, Mapping) else None
        told.answers.append(_message(each, encode, "assistant").answer(reason))
    return told


def _message(each: object, encode: Encode, role: str = "user") -> Message:
    if not isinstance(each, Mapping):
        return message_of(role, each, encode)
    content = first(each, "parts", "content")
    return message_of(each.get("role") or role, content, encode, each.get("tool_calls"), first(each, "id", "tool_call_id"))
