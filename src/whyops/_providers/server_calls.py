"""The calls of tools that a provider's server ran while its model answered, as they stand among the parts of an answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._runtime.safely import Failed, safely
from .answer import ServerCall
from .messages import first_of, kind_of, shown_content

_CALLED = frozenset({"server_tool_use", "server_tool_call", "mcp_tool_use"})
_BOTH = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call"})
_RESULTS = ("content", "output", "outputs", "results", "result")


def server_calls(parts: Iterable[Any]) -> tuple[list[ServerCall], list[Any]]:
    """Return the calls in an answer's parts, each with its result if that is there, and the parts that are none."""
    calls: list[ServerCall] = []
    rest = []
    for part in parts:
        kind = kind_of(part)
        if kind in _CALLED or kind in _BOTH:
            calls.append(_call(part, str(kind)))
        elif isinstance(kind, str) and kind.endswith("_tool_result") and isinstance(part, dict):
            _take_result(calls, part, kind)
        else:
            rest.append(part)
    return calls, rest


def _call(part: Mapping[str, Any], kind: str) -> ServerCall:
    call = ServerCall(str(part.get("name") or kind.removesuffix("_call")), _arguments(part), part.get("id"))
    if kind in _BOTH:
        call.failed = bool(part.get("error")) or part.get("status") == "failed"
        told = part.get("error") or first_of((part,), _RESULTS) or part.get("status")
        call.result = shown_content(told, "data")
    return call


def _arguments(part: Mapping[str, Any]) -> dict[str, object]:
    """Return what a call was made with; streamed, it is JSON text that came in pieces."""
    given = first_of((part,), ("input", "args", "arguments", "action", "partial_json"))
    if isinstance(given, str):
        read = safely(json.loads, given)
        given = given if isinstance(read, Failed) else read
    if isinstance(given, dict):
        return {str(name): value for name, value in given.items()}
    if given:
        return {"input": given}
    return {name: part[name] for name in ("queries", "code") if part.get(name)}


def _take_result(calls: list[ServerCall], part: Mapping[str, Any], kind: str) -> None:
    """Give a result to its call; one without a call is a call of which only the result is known."""
    id_ = part.get("tool_use_id") or part.get("tool_call_id")
    call = next((call for call in calls if call.id == id_ and call.result is None), None)
    if call is None:
        call = ServerCall(kind.removesuffix("_tool_result"), {}, id_)
        calls.append(call)
    result = first_of((part,), _RESULTS)
    told = kind_of(result) if isinstance(result, dict) else ""
    call.failed = bool(part.get("is_error")) or part.get("status") == "error" or str(told).endswith("_error")
    call.result = shown_content([] if result is None else result)
