"""The events of a span up to version 1.36 of the conventions: one for each message, and one for each choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._encoding import Encode
from ._messages import Exchange
from ._parts import Message, message_of
from ._told import Span, first, from_json

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_CONTENTS = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
"""What came before 1.27: one event with all of it."""


def exchange(span: Span, encode: Encode) -> Exchange:
    """Return what a model's span tells in events."""
    told = Exchange()
    for event in span.get("events") or ():
        name, held = event.get("name"), event.get("attributes") or {}
        if name in _ROLES:
            told.messages += _message(_ROLES[name], held, encode).items()
        elif name == _CHOICE:
            told.answers.append(_choice(held, encode).answer(held.get("finish_reason")))
        elif name in _CONTENTS:
            message = message_of("user" if "prompt" in name else "assistant", from_json(held.get(_CONTENTS[name])), encode)
            if "prompt" in name:
                told.messages += message.items()
            else:
                told.answers.append(message.answer(None))
    return told


def tool_exchange(span: Span) -> tuple[object, object]:
    """Return what the events of a tool's span say of its arguments and its result."""
    given = result = None
    for event in span.get("events") or ():
        held = event.get("attributes") or {}
        if event.get("name") == "gen_ai.tool.message":
            given = held.get("content")
        elif event.get("name") == _CHOICE:
            result = held.get("message")
    return given, result


def _message(role: str, held: Mapping[str, Any], encode: Encode) -> Message:
    content = from_json(held.get("content"))
    return message_of(role, content, encode, from_json(held.get("tool_calls")), held.get("id"))


def _choice(held: Mapping[str, Any], encode: Encode) -> Message:
    message = from_json(held.get("message"))
    if isinstance(message, Mapping) and ("content" in message or "tool_calls" in message):
        return message_of("assistant", from_json(message.get("content")), encode, message.get("tool_calls"))
    calls = first(held, "tool_calls")
    return message_of("assistant", from_json(held.get("content")) if message is None else message, encode, from_json(calls))
