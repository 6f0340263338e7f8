"""OpenAI's Responses: an answer, and the events of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._encoding import Encode
from .._wire.signature import strip_signature
from .answer import Answer
from .messages import first_text, kind_of, shown_content
from .objects import at, listed, plain
from .server_calls import server_calls
from .unit import TEXT, Unit, call_of, said, tool_calls, units_of

_CALLS = frozenset({"function_call", "custom_tool_call"})
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_SAYS = (".delta", ".done")
_MOST_CITATIONS = 50


# Prompts


def is_item(message: object) -> bool:
    """Tell whether this is an item of an input, and no message with a role."""
    kind = kind_of(message)
    return isinstance(kind, str) and isinstance(message, dict) and "role" not in message and "type" in message and kind not in TEXT


def units_of_items(items: Sequence[tuple[Mapping[str, Any], object]]) -> list[Unit]:
    """Return the messages that items make up, each given with the object in which it is held.

    What one answer consists of (reasoning, a message, the calls of tools) is one message.
    """
    units: list[Unit] = []
    is_open = False
    for item, held in items:
        kind = kind_of(item)
        if kind in _CALLS:
            before = units.pop() if is_open and units and units[-1].role == "assistant" else Unit("assistant", message=held)
            units.append(before._replace(calls=(*before.calls, call_of(item))))
            is_open = True
        elif kind in _RESULTS:
            units.append(Unit("tool", _output(item.get("output")), (), item.get("call_id"), None, held))
            is_open = False
        elif kind == "reasoning":
            is_open = False
        elif is_item(item) and kind != "message":
            if server_calls([item])[0]:
                continue
            units.append(Unit("assistant" if str(kind).endswith("_call") else "user", [item], message=held))
            is_open = False
        else:
            units += units_of(item, held)
            is_open = True
    return units


def _output(output: object) -> object:
    if not isinstance(output, list):
        return "" if output is None else output
    return output[0].get("text", output) if len(output) == 1 and kind_of(output[0]) in TEXT else output


# Answers


def is_answer(payload: object) -> bool:
    """Tell whether this is an answer of this API."""
    return isinstance(at(payload, "output"), (list, tuple))


def answers(payload: object, encode: Encode) -> list[Answer]:
    """Return the answer, as the only one of a list."""
    calls, output = server_calls([item for item in plain(listed(payload, "output")) if isinstance(item, dict)])
    parts = [part for item in output if kind_of(item) == "message" for part in item.get("content") or ()]
    items = [item for item in output if kind_of(item) in _CALLS or kind_of(item) == "message"]
    units = units_of_items([({"role": "assistant", **item} if kind_of(item) == "message" else item, None) for item in items])
    unit = units[0] if len(units) == 1 else _together(units)
    answer = Answer(content=unit.content or (None if unit.calls or calls else ""), tool_calls=tool_calls(unit, encode))
    answer.server_calls = calls
    answer.thinking = [thought for item in output if kind_of(item) == "reasoning" for thought in _thoughts(item)]
    answer.finish_reason = at(at(payload, "incomplete_details"), "reason") or at(payload, "status")
    answer.said = said(unit) if len(units) == 1 else None
    answer.failure = plain(at(payload, "error"))
    if any(kind_of(part) == "refusal" for part in parts):
        answer.more["refused"] = True
    if citations := [each for part in parts if isinstance(part, dict) for each in part.get("annotations") or ()]:
        answer.more["citations"] = shown_content(citations[:_MOST_CITATIONS])
    return [answer]


def _together(units: Sequence[Unit]) -> Unit:
    """Return several messages of one answer as one."""
    texts = [unit.content for unit in units if unit.content]
    content: object = "\n".join(map(str, texts)) if all(isinstance(text, str) for text in texts) else texts
    return Unit("assistant", content, tuple(call for unit in units for call in unit.calls))


def _thoughts(item: Mapping[str, Any]) -> list[tuple[str, object]]:
    pieces = [piece for name in ("summary", "content") for piece in item.get(name) or () if isinstance(piece, dict)]
    return [(strip_signature(text), None) for piece in pieces if (text := first_text(piece, ("text",))) is not None]


# Streams


def is_chunk(chunk: object) -> bool:
    """Tell whether this is an event of a stream of this API."""
    kind = at(chunk, "type")
    return isinstance(kind, str) and (kind.startswith("response.") or (kind == "error" and at(chunk, "message") is not None))


def says_something(chunk: object) -> bool:
    """Tell whether an event has something of the answer."""
    kind = at(chunk, "type")
    return isinstance(kind, str) and kind.endswith(_SAYS) and bool(at(chunk, "delta", "text", "item"))


def whole(chunks: Iterable[object]) -> dict[str, Any]:
    """Return the answer that the events of a stream make up: the last event's, where the stream came to its end."""
    told: dict[str, Any] = {}
    items: dict[object, Any] = {}
    pieces: dict[object, list[str]] = {}
    for chunk in chunks:
        kind, index = at(chunk, "type"), at(chunk, "output_index")
        if kind in _ENDS:
            response = at(chunk, "response")
            return {name: at(response, name) for name in ("model", "status", "error", "incomplete_details", "output", "usage")}
        if kind == "error":
            told["error"] = {"message": at(chunk, "message"), "code": at(chunk, "code")}
        elif kind in {"response.created", "response.in_progress"}:
            told["model"] = at(at(chunk, "response"), "model")
        elif kind in {"response.output_item.added", "response.output_item.done"}:
            items[index] = plain(at(chunk, "item"))
            if kind.endswith(".done"):
                pieces.pop(index, None)
        elif isinstance(kind, str) and kind.endswith(".delta") and isinstance(at(chunk, "delta"), str):
            pieces.setdefault(index, []).append(at(chunk, "delta"))
    output = [_begun(item, "".join(pieces.get(index, ()))) for index, item in items.items()]
    return {**told, "output": output}


def _begun(item: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return an item with what had come of it when the stream was left."""
    if not text:
        return item
    kind = kind_of(item)
    if kind in _CALLS:
        return {**item, ("arguments" if kind == "function_call" else "input"): text}
    if kind == "reasoning":
        return {**item, "summary": [{"type": "summary_text", "text": text}]}
    return {**item, "content": [{"type": "output_text", "text": text}]} if kind == "message" else item
