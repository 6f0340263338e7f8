"""Anthropic's messages: an answer, and the events of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._encoding import Encode
from .._wire.signature import strip_signature
from .._wire.told import parsed
from .answer import Answer
from .messages import kind_of, shown_content
from .objects import at, listed, plain
from .server_calls import server_calls
from .unit import said, tool_calls, units_of

_EVENTS = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop", "ping", "error"}
)
_DELTAS = {"text_delta": "text", "input_json_delta": "partial_json", "thinking_delta": "thinking", "signature_delta": "signature"}
_MOST_CITATIONS = 50


def is_answer(payload: object) -> bool:
    """Tell whether this is an answer of this API."""
    return isinstance(at(payload, "content"), (list, tuple)) and at(payload, "role") == "assistant"


def answers(payload: object, encode: Encode) -> list[Answer]:
    """Return the answer, as the only one of a list."""
    parts = [part for part in plain(listed(payload, "content")) if isinstance(part, dict)]
    calls, rest = server_calls(parts)
    unit = units_of({"role": "assistant", "content": rest}, None)[-1]
    answer = Answer(content=unit.content or (None if unit.calls or calls else ""), tool_calls=tool_calls(unit, encode))
    answer.server_calls, answer.said = calls, said(unit)
    answer.thinking = [thought for part in rest if (thought := _thought(part)) is not None]
    answer.finish_reason = at(payload, "stop_reason")
    answer.failure = plain(at(payload, "error"))
    if answer.finish_reason == "refusal":
        answer.more["refused"] = True
    if citations := [each for part in rest for each in part.get("citations") or ()]:
        answer.more["citations"] = shown_content(citations[:_MOST_CITATIONS])
    return [answer]


def _thought(part: Mapping[str, Any]) -> tuple[str, object] | None:
    if kind_of(part) == "redacted_thinking":
        return f"[redacted by the provider: {len(str(part.get('data', '')))} characters]", None
    if kind_of(part) != "thinking" or not part.get("thinking"):
        return None
    return strip_signature(str(part["thinking"])), part.get("signature")


def is_chunk(chunk: object) -> bool:
    """Tell whether this is an event of a stream of this API."""
    kind = at(chunk, "type")
    return isinstance(kind, str) and kind in _EVENTS


def says_something(chunk: object) -> bool:
    """Tell whether an event has something of the answer."""
    if at(chunk, "type") != "content_block_delta":
        return at(chunk, "type") == "content_block_start" and kind_of(plain(at(chunk, "content_block"))) not in {"text", "thinking"}
    return True


def whole(chunks: Iterable[object]) -> dict[str, Any]:
    """Return the answer that the events of a stream make up."""
    told: dict[str, Any] = {"role": "assistant"}
    usage: dict[str, Any] = {}
    blocks: dict[object, dict[str, Any]] = {}
    pieces: dict[tuple[object, str], list[str]] = {}
    for chunk in chunks:
        kind, index = at(chunk, "type"), at(chunk, "index")
        if kind == "message_start":
            message = at(chunk, "message")
            told["model"] = at(message, "model")
            usage |= plain(at(message, "usage")) or {}
        elif kind == "content_block_start":
            blocks[index] = plain(at(chunk, "content_block"))
        elif kind == "content_block_delta":
            delta = at(chunk, "delta")
            name = _DELTAS.get(at(delta, "type"))
            if name is not None:
                pieces.setdefault((index, name), []).append(at(delta, name) or "")
            elif (citation := at(delta, "citation")) is not None:
                blocks.get(index, {}).setdefault("citations", []).append(plain(citation))
        elif kind == "message_delta":
            told["stop_reason"] = at(at(chunk, "delta"), "stop_reason")
            usage |= plain(at(chunk, "usage")) or {}
        elif kind == "error":
            told["error"] = plain(at(chunk, "error"))
    for (index, name), texts in pieces.items():
        block = blocks.setdefault(index, {"type": "text"})
        text = "".join(texts)
        block["input" if name == "partial_json" else name] = text if name == "partial_json" else (block.get(name) or "") + text
    return {**told, "content": [_finished(block) for block in blocks.values()], "usage": usage or None}


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block, the arguments of a call as the API tells them where they came whole: as an object."""
    given = block.get("input")
    return {**block, "input": parsed(given) if given else {}} if isinstance(given, str) else block
