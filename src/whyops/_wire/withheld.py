"""What stays of an event where contents are not to be recorded: only what is known to be none. All else becomes a marker of its size.

Known to be no content are numbers where a number belongs, ids, the names of tools, models, agents and arguments as far as they look like
names, and those roles and finish reasons that providers have. What an error says is left out where its content is made. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from .._encoding.coerce import elements, members, text_in
from .._encoding.redaction.regex import Pattern
from .usage import token_usage

Shown = Callable[[object], object]
"""Returns a marker of a value's size."""

Keep = Callable[[object, Shown], object]
"""Returns what is recorded of a value that stands in a known place."""

_ARGUMENT = Pattern(r"[a-z_][A-Za-z0-9_]{0,63}")
_NAME = Pattern(r"[\w.:/@+<>-]+(?: [\w.:/@+<>-]+){0,4}")
_ID = Pattern(r"[\w.:/@+=-]+")
_MAX_NAME = 200
_REST = "…"

_ROLES = frozenset({"ai", "assistant", "chatbot", "developer", "function", "human", "model", "system", "tool", "user"})
_FINISH_REASONS = frozenset(
    {"blocklist", "cancelled", "complete", "completed", "content_filter", "content_filtered", "end_turn", "eos_token", "error"}
    | {"failed", "finish_reason_unspecified", "function_call", "guardrail_intervened", "image_safety", "incomplete", "language", "length"}
    | {"load", "malformed_function_call", "max_output_tokens", "max_tokens", "model_context_window_exceeded", "model_length", "other"}
    | {"pause_turn", "prohibited_content", "recitation", "refusal", "safety", "spii", "stop", "stop_sequence", "tool_call", "tool_calls"}
    | {"tool_use", "unexpected_tool_call", "unknown", "unload"}
)


def content(event_type: str, value: Any, shown: Shown) -> object:
    """Return what stays of an event's content, as one of the functions of `contents` has made it."""
    return _CONTENTS.get(event_type, _hide)(value, shown)


def metadata(event_type: str, held: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """Return what stays of an event's metadata, as one of the functions of `contents` has made it."""
    return cast("dict[str, Any]", _only(_PROMPT_METADATA if event_type == "user_message" else _METADATA, held, shown))


def labels(held: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """Return what stays of what an integration says of an event: names of nodes, agents and steps, ids and numbers, under its own keys."""
    return {key: _number_or_name(value, shown) for key, value in held.items()}


def arguments(held: Mapping[Any, Any], shown: Shown) -> dict[str, Any]:
    """Return arguments by name, each as a marker; those whose names look like none in code are told together."""
    named = {key: shown(value) for key, value in held.items() if _is_argument(key)}
    rest = {key: value for key, value in held.items() if not _is_argument(key)}
    return {**named, _REST: shown(rest)} if rest else named


def results(result: object, shown: Shown) -> dict[str, Any]:
    """Return the `toolResults` object of a result: whether it is an error, and its size."""
    held = members(result) or {}
    key = "error" if "error" in held else "result"
    return {key: shown(held[key] if list(held) == [key] else result)}


def name(value: object, shown: Shown) -> object:
    """Return a name that looks like one, else a marker."""
    text = text_in(value)
    return text if text is not None and len(text) <= _MAX_NAME and _NAME.fullmatch(text) else shown(value)


def _only(known: Mapping[str, Keep], value: object, shown: Shown) -> Any:
    """Return what stays of a dict: its known keys, and a marker of all others together. What is no dict is a marker."""
    held = members(value)
    if held is None:
        return shown(value)
    kept = {key: keep(held[key], shown) for key, keep in known.items() if key in held}
    rest = {key: each for key, each in held.items() if key not in kept}
    return {**kept, _REST: shown(rest)} if rest else kept


def _each(keep: Keep) -> Keep:
    def keep_each(value: object, shown: Shown) -> object:
        items = elements(value)
        return shown(value) if items is None else [keep(item, shown) for item in items]

    return keep_each


def _held(known: Mapping[str, Keep]) -> Keep:
    return lambda value, shown: _only(known, value, shown)


def _hide(value: object, shown: Shown) -> object:
    return shown(value)


def _as_it_is(value: object, _shown: Shown) -> object:
    return value


def _id(value: object, shown: Shown) -> object:
    text = text_in(value)
    return text if text is not None and len(text) <= _MAX_NAME and _ID.fullmatch(text) else shown(value)


def _number(value: object, shown: Shown) -> object:
    return value if type(value) is int or type(value) is float or type(value) is bool else shown(value)


def _number_or_name(value: object, shown: Shown) -> object:
    return name(value, shown) if text_in(value) is not None else _number(value, shown)


def _counts(value: object, shown: Shown) -> object:
    return token_usage(value) or shown(value)


def _role(value: object, shown: Shown) -> object:
    return value if type(value) is str and value in _ROLES else shown(value)


def _finish_reason(value: object, shown: Shown) -> object:
    text = text_in(value) or ""
    return value if text.rpartition(".")[2].lower().replace("-", "_") in _FINISH_REASONS and _ID.fullmatch(text) else shown(value)


def _named_arguments(value: object, shown: Shown) -> object:
    held = members(value)
    return shown(value) if held is None else arguments(held, shown)


def _is_argument(key: object) -> bool:
    return type(key) is str and _ARGUMENT.fullmatch(key) is not None


_MESSAGE: dict[str, Keep] = {"role": _role, **dict.fromkeys(("content", "name", "refusal", "tool_calls", "tool_call_id"), _hide)}
_CALLED: dict[str, Keep] = {"name": name, "arguments": _hide}
_MODEL_CALL = {"id": _id, **_CALLED, "function": _held(_CALLED)}
_CALL = {"id": _id, "name": name, "arguments": _named_arguments}
_CALLS: dict[str, Keep] = {"name": name, "toolCalls": _each(_held(_CALL)), "requestedAt": _as_it_is, "respondedAt": _as_it_is}
_OFFERED_TOOL = {"name": name, "description": _hide, "parameters": _hide}
_CONTENTS: dict[str, Keep] = {
    "user_message": _each(_held(_MESSAGE)),
    "llm_response": _held({"content": _hide, "toolCalls": _each(_held(_MODEL_CALL)), "finishReason": _finish_reason}),
    "llm_thinking": _held({"type": _as_it_is, "thinking": _hide, "signature": _hide}),
    "embedding_request": _held({"input": _each(_hide)}),
    "embedding_response": _as_it_is,
    "tool_call_request": _held(_CALLS),
    "tool_call_response": _held({**_CALLS, "toolResults": results, "error": _hide}),
    "tool_result": _held({"name": name, "toolName": name, "output": _hide}),
    "error": _as_it_is,
}
_METADATA: dict[str, Keep] = {
    "model": name,
    "provider": name,
    "usage": _counts,
    "latencyMs": _number,
    "durationMs": _number,
    "tool": name,
}
_PROMPT_METADATA: dict[str, Keep] = {
    "model": name,
    "provider": name,
    "usage": _counts,
    "latencyMs": _number,
    "systemPrompt": _hide,
    "tools": _each(_held(_OFFERED_TOOL)),
    "params": _hide,
}
