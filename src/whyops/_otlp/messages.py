"""Messages to and from models, in the form that OpenTelemetry's GenAI conventions have for them. Pure.

One message out of that form, and a reader drops the whole list: so all that has no form of its own there is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .._wire.model_tool_call import ModelToolCall
from .._wire.prompt import PromptMessage
from .attributes import json_text

Part = dict[str, object]
Message = dict[str, object]

_TEXTS = frozenset({"text", "input_text", "output_text"})
_REASONING = frozenset({"thinking", "reasoning"})
MISSING = "[not recorded here]"


def input_messages(message: PromptMessage) -> list[Message]:
    """Return a message of a prompt; one that tells several results is as many."""
    if message.is_missing:
        return [_message("user", [_text(MISSING)])]
    if message.role in {"tool", "function"}:
        return [_message("tool", [_response(message.tool_call_id, message.content)])]
    parts, results = _parts(message.content)
    parts += map(_call, message.tool_calls)
    told = [_message("tool", [result]) for result in results]
    return [*told, _message(message.role, parts or [_text("")])] if parts or not told else told


def output_message(thinking: Iterable[object], answer: object, calls: Sequence[ModelToolCall], finish_reason: str | None) -> Message:
    """Return a model's answer, its reasoning first."""
    parts, _ = _parts(answer)
    reasoning: list[Part] = [{"type": "reasoning", "content": one if isinstance(one, str) else json_text(one)} for one in thinking]
    return {**_message("assistant", [*reasoning, *parts, *map(_call, calls)]), "finish_reason": finish_reason or ""}


def text_of(content: object) -> str | None:
    """Return what a message says in words; None if it has none."""
    parts, _ = _parts(content)
    texts = [str(part["content"]) for part in parts if part["type"] == "text"]
    return "\n".join(texts) or None


def _message(role: str, parts: Sequence[Part]) -> Message:
    return {"role": role, "parts": list(parts)}


def _text(content: str) -> Part:
    return {"type": "text", "content": content}


def _call(call: ModelToolCall) -> Part:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}


def _response(call_id: object, value: object) -> Part:
    return {"type": "tool_call_response", "id": call_id if isinstance(call_id, str) else None, "response": value}


def _parts(content: object) -> tuple[list[Part], list[Part]]:
    """Return what a content says and calls, and the results of tools in it."""
    if content is None or content == "":
        return [], []
    listed = content if isinstance(content, list) else [content]
    parts: list[Part] = []
    results: list[Part] = []
    for one in listed:
        for part in _read(one):
            (results if part["type"] == "tool_call_response" else parts).append(part)
    return parts, results


def _read(one: object) -> Iterator[Part]:
    if isinstance(one, str):
        yield _text(one)
        return
    kind = one.get("type") if isinstance(one, Mapping) else None
    if not isinstance(one, Mapping) or not isinstance(kind, str):
        inner = one.get("text") if isinstance(one, Mapping) and list(one) == ["text"] else None
        yield _text(inner if isinstance(inner, str) else json_text(one))
    elif kind in _TEXTS and isinstance(one.get("text"), str):
        yield _text(str(one["text"]))
    elif kind in _REASONING and isinstance(said := one.get("thinking", one.get("text")), str):
        yield {"type": "reasoning", "content": said}
    elif kind == "tool_use":
        yield {"type": "tool_call", "id": one.get("id"), "name": str(one.get("name")), "arguments": one.get("input")}
    elif kind == "tool_result":
        yield _response(one.get("tool_use_id"), one.get("content"))
    else:
        yield _text(json_text(one))
