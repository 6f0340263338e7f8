"""One message of a prompt, or a model's answer, as every API can tell it: who speaks, what, which tools are called, whose result it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._encoding import Encode
from .._wire.signature import strip_signature
from ..types import MessageItem, ToolCallItem
from .messages import kind_of, message_item, role_of, shown_content, tool_call
from .objects import at
from .said import Said

TEXT = frozenset({"text", "input_text", "output_text"})
THINKING = frozenset({"thinking", "redacted_thinking", "reasoning"})
_CALLS = frozenset({"tool_use", "function_call"})
_SERVER_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})

Call = list[object]
"""A tool's call: its id, the tool's name, the arguments as they are told."""


class Unit(NamedTuple):
    """A message. `content` is text, or a list of parts where it is more than that; `message` is the object in which it is held."""

    role: str
    content: object = ""
    calls: tuple[Call, ...] = ()
    call_id: object = None
    name: object = None
    message: object = None


def said(unit: Unit) -> Said:
    """Return what makes a message up, however an API tells it."""
    name = unit.name if isinstance(unit.name, str) else None
    return Said(unit.role, [unit.content, list(unit.calls), unit.call_id], name, None if isinstance(unit.message, str) else unit.message)


def written(unit: Unit, encode: Encode) -> MessageItem:
    """Return a message in our form."""
    names = {"tool_call_id": unit.call_id, "name": unit.name}
    return message_item(unit.role, shown_content(unit.content), tool_calls(unit, encode), names)


def tool_calls(unit: Unit, encode: Encode) -> list[ToolCallItem]:
    """Return the tools that a message asks for."""
    return [tool_call(name, arguments, id_, encode) for id_, name, arguments in unit.calls]


def units_of(message: Mapping[str, Any], held: object) -> list[Unit]:
    """Return a message with a role as chat's, Responses' or Anthropic's API have it: one unit, and one more for each tool's result in it.

    `message` is plain, `held` the object in which the application has it.
    """
    role, content = role_of(message.get("role") or "user"), message.get("content")
    parts = content if isinstance(content, list) else []
    results = [_result(part, held) for part in parts if kind_of(part) == "tool_result"]
    rest = [part for part in parts if not is_elsewhere(part)]
    calls = (*_calls(message), *(call_of(part) for part in parts if kind_of(part) in _CALLS))
    if parts:
        content = shown_parts(rest, joins=role == "assistant")
    content = content or message.get("refusal") or at(message.get("audio"), "transcript") or ""
    if results and not rest:
        return results
    return [*results, Unit(role, content, calls, message.get("tool_call_id"), message.get("name"), held)]


def is_elsewhere(part: object) -> bool:
    """Tell whether a part of a message is recorded elsewhere: thinking, the call of a tool, a tool's result."""
    kind = kind_of(part)
    return kind in THINKING or kind in _CALLS or kind in _SERVER_CALLS or str(kind).endswith("_tool_result") or kind == "tool_result"


def shown_parts(parts: Iterable[object], *, joins: bool) -> object:
    """Return the text of parts that are one text, or several that a model gave; else the parts, without marks of a cache."""
    parts = [{name: each for name, each in part.items() if name != "cache_control"} if isinstance(part, dict) else part for part in parts]
    texts = [_text(part) for part in parts]
    told = [text for text in texts if text is not None]
    if len(told) == len(texts) and (joins or len(texts) == 1):
        return strip_signature("".join(told))
    return parts


def call_of(part: Mapping[str, Any]) -> Call:
    """Return the call that a part of a message, or an item of a Responses answer, asks for."""
    arguments: object = next((part[name] for name in ("arguments", "input", "args") if part.get(name) is not None), {})
    return [part.get("call_id") or part.get("id"), part.get("name"), arguments]


def _calls(message: Mapping[str, Any]) -> Iterable[Call]:
    older = message.get("function_call")
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else [{"function": older}] if isinstance(older, dict) else ():
        if isinstance(call, dict):
            function = call.get("function") or call.get("custom") or call
            yield [call.get("id"), *call_of(function)[1:]]


def _text(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    kind = part.get("type", "text")
    text = part.get("text") if kind in TEXT else part.get("refusal") if kind == "refusal" else None
    return text if isinstance(text, str) else None


def _result(part: Mapping[str, Any], held: object) -> Unit:
    content = part.get("content")
    content = shown_parts(content, joins=False) if isinstance(content, list) else content
    return Unit("tool", "" if content is None else content, (), part.get("tool_use_id"), None, held)
