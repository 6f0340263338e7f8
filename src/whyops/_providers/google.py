"""Google's `generateContent`: contents, an answer, and the chunks of a stream, which are answers of their own.

The wire has names such as `finishReason`, Google's package such as `finish_reason`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._encoding import Encode
from .answer import Answer, ServerCall
from .messages import shown_content
from .objects import at, listed, plain
from .unit import Call, Unit, said, tool_calls

_REFUSED = frozenset({"BLOCKLIST", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "RECITATION", "SAFETY", "SPII"})
_SIGNATURE = ("thought_signature", "thoughtSignature")
_PARTS = ("text", "inline_data", "inlineData", "file_data", "fileData", "function_call", "functionCall", "function_response")


# Prompts


def is_content(message: object) -> bool:
    """Tell whether this is one of Google's contents."""
    return isinstance(message, dict) and isinstance(message.get("parts"), list)


def is_part(message: object) -> bool:
    """Tell whether this is a part of a content, which may stand for a user's content itself."""
    return isinstance(message, dict) and not {"role", "type", "parts"} & message.keys() and any(name in message for name in _PARTS)


def units_of_content(content: Mapping[str, Any], held: object) -> list[Unit]:
    """Return a content as messages: one for each result of a function, and one for the rest."""
    role = "assistant" if content.get("role") == "model" else str(content.get("role") or "user")
    parts = [part if isinstance(part, dict) else {"text": str(part)} for part in content["parts"]]
    results = [_result(result, held) for part in parts if (result := at(part, "function_response", "functionResponse")) is not None]
    calls = tuple(_call(call) for part in parts if (call := at(part, "function_call", "functionCall")) is not None)
    rest = [part for part in parts if not _is_elsewhere(part)]
    if results and not rest and not calls:
        return results
    return [*results, Unit(role, _content(rest, joins=role == "assistant"), calls, message=held)]


def _is_elsewhere(part: object) -> bool:
    names = ("function_call", "functionCall", "function_response", "functionResponse", *_RUN)
    return bool(at(part, "thought")) or at(part, *names) is not None


def _result(result: Mapping[str, Any], held: object) -> Unit:
    return Unit("tool", result.get("response") or "", (), result.get("id"), result.get("name"), held)


def _call(call: Mapping[str, Any]) -> Call:
    return [call.get("id"), call.get("name"), call.get("args") or {}]


def _content(parts: Sequence[Mapping[str, Any]], *, joins: bool) -> object:
    texts = [part.get("text") for part in parts if set(part) <= {"text", *_SIGNATURE}]
    if len(texts) == len(parts) and (joins or len(parts) <= 1):
        return "".join(text for text in texts if isinstance(text, str))
    return list(parts)


# Answers


_RUN = ("executable_code", "executableCode", "code_execution_result", "codeExecutionResult")


def is_answer(payload: object) -> bool:
    """Tell whether this is an answer of this API."""
    return isinstance(at(payload, "candidates"), (list, tuple)) or at(payload, "prompt_feedback", "promptFeedback") is not None


def answers(payload: object, encode: Encode) -> list[Answer]:
    """Return the alternatives that were given; a prompt that was refused has one, with the reason."""
    found = [_answer(plain(candidate), encode) for candidate in listed(payload, "candidates")]
    reason = plain(at(at(payload, "prompt_feedback", "promptFeedback"), "block_reason", "blockReason"))
    return found or [Answer(content="") if reason is None else Answer(finish_reason=reason, more={"refused": True})]


def _answer(candidate: Mapping[str, Any], encode: Encode) -> Answer:
    parts = [part for part in listed(candidate.get("content"), "parts") if isinstance(part, dict)]
    (unit,) = units_of_content({"role": "model", "parts": parts}, None)[-1:]
    calls = _server_calls(parts)
    answer = Answer(content=unit.content or (None if unit.calls or calls else ""), tool_calls=tool_calls(unit, encode))
    answer.said, answer.server_calls = said(unit), calls
    answer.thinking = [(str(part.get("text") or ""), at(part, *_SIGNATURE)) for part in parts if part.get("thought")]
    answer.finish_reason = at(candidate, "finish_reason", "finishReason")
    if answer.finish_reason in _REFUSED:
        answer.more["refused"] = True
    grounds = at(candidate, "grounding_metadata", "groundingMetadata")
    cited = at(at(candidate, "citation_metadata", "citationMetadata"), "citations", "citationSources")
    if citations := cited or listed(grounds, "grounding_chunks", "groundingChunks"):
        answer.more["citations"] = shown_content(citations[:50])
    return answer


def _server_calls(parts: Iterable[Mapping[str, Any]]) -> list[ServerCall]:
    """Return the code that the provider ran, with what came of it."""
    calls: list[ServerCall] = []
    for part in parts:
        code, result = at(part, *_RUN[:2]), at(part, *_RUN[2:])
        if code is not None:
            calls.append(ServerCall("code_execution", dict(code)))
        if result is not None and calls:
            calls[-1].result, calls[-1].failed = result, at(result, "outcome") not in {None, "OUTCOME_OK"}
    return calls


# Streams


def is_chunk(chunk: object) -> bool:
    """Tell whether this is a chunk of a stream of this API."""
    return is_answer(chunk)


def says_something(chunk: object) -> bool:
    """Tell whether a chunk has something of the answer."""
    return any(listed(at(candidate, "content"), "parts") for candidate in listed(chunk, "candidates"))


def whole(chunks: Iterable[object]) -> dict[str, Any]:
    """Return the answer that the chunks of a stream make up."""
    told: dict[str, Any] = {}
    candidates: dict[object, dict[str, Any]] = {}
    for chunk in chunks:
        for name, other in (("usage_metadata", "usageMetadata"), ("model_version", "modelVersion"), ("prompt_feedback", "promptFeedback")):
            if (value := at(chunk, name, other)) is not None:
                told[name] = value
        for candidate in listed(chunk, "candidates"):
            kept = candidates.setdefault(at(candidate, "index") or 0, {"content": {"parts": []}})
            for part in listed(at(candidate, "content"), "parts"):
                _add_part(kept["content"]["parts"], plain(part))
            names = ("finish_reason", "finishReason", "grounding_metadata", "groundingMetadata", "citation_metadata", "citationMetadata")
            kept.update((name, plain(value)) for name in names if (value := at(candidate, name)) is not None)
    return {**told, "candidates": list(candidates.values())} if candidates else told


def _add_part(parts: list[dict[str, Any]], part: dict[str, Any]) -> None:
    """Add a part to those before: a text goes on with the one before it, if both are thoughts, or neither is."""
    last = parts[-1] if parts else None
    is_text = isinstance(part.get("text"), str) and set(part) <= {"text", "thought", *_SIGNATURE}
    if last is not None and is_text and isinstance(last.get("text"), str) and bool(last.get("thought")) == bool(part.get("thought")):
        last["text"] += part["text"]
        last.update((name, part[name]) for name in _SIGNATURE if name in part)
    else:
        parts.append(dict(part))
