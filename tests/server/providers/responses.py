"""OpenAI's Responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .openai_form import error, event, knows_key, pieces

__all__ = ["answer", "call", "error", "knows_key", "message", "problem", "reasoning", "stream"]

USAGE = {
    "input_tokens": 37,
    "input_tokens_details": {"cached_tokens": 12, "cache_write_tokens": 0},
    "output_tokens": 11,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 48,
}
_ROLES = {"user", "assistant", "system", "developer"}
_INPUTS = {"input_text", "input_image", "input_file"}


def problem(body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, if anything is."""
    if not isinstance(body.get("model"), str):
        return "Missing required parameter: 'model'."
    given = body.get("input")
    if isinstance(given, str) and given:
        return None
    if not isinstance(given, list) or not given:
        return "Missing required parameter: 'input'."
    asked: set[str] = set()
    for place, item in enumerate(given):
        if wrong := _wrong(item, asked):
            return f"Invalid value: 'input[{place}]': {wrong}"
        if item.get("type") == "function_call":
            asked.add(item["call_id"])
        asked.discard(item["call_id"] if item.get("type") == "function_call_output" else "")
    return f"No tool output found for function call {min(asked)}." if asked else None


def _wrong(item: dict[str, Any], asked: set[str]) -> str | None:
    kind = item.get("type", "message")
    if kind == "message":
        if item.get("role") not in _ROLES:
            return f"role {item.get('role')!r}"
        if isinstance(item.get("content"), str):
            return None
        kinds = {"output_text", "refusal"} if item["role"] == "assistant" else _INPUTS
        return None if all(part.get("type") in kinds for part in item["content"]) else "the type of a part of the content"
    if kind == "function_call":
        return None if isinstance(item.get("arguments"), str) and item.get("call_id") else "a call has call_id, name and arguments"
    if kind == "function_call_output":
        return None if item.get("call_id") in asked else "No tool call found for function call output."
    return None if kind in {"reasoning", "web_search_call"} else f"type {kind!r}"


def message(text: str = "", refusal: str | None = None, annotations: Any = ()) -> dict[str, Any]:
    """Give an item of text, or of a refusal."""
    said = {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}
    part = said if refusal is None else {"type": "refusal", "refusal": refusal}
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def call(call_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give an item that calls a function."""
    given = json.dumps(arguments)
    return {"id": f"fc_{call_id}", "type": "function_call", "status": "completed", "call_id": call_id, "name": name, "arguments": given}


def reasoning(summary: str) -> dict[str, Any]:
    """Give an item of reasoning."""
    return {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": summary}]}


def answer(*items: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    """Give a whole answer."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt-5-mini-2025-08-07",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "usage": USAGE,
        **more,
    }


def stream(whole: dict[str, Any], body: dict[str, Any]) -> list[bytes]:
    """Give the events of a stream."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
    events = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for index, item in enumerate(whole["output"]):
        place = {"item_id": item["id"], "output_index": index}
        empty = {"content": [], "status": "in_progress"} if item["type"] == "message" else {"summary": []}
        empty = {"arguments": "", "status": "in_progress"} if item["type"] == "function_call" else empty
        events.append({"type": "response.output_item.added", "output_index": index, "item": {**item, **empty}})
        events += [{**one, **place} for one in _of_item(item)]
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return [event({**one, "sequence_number": number}, one["type"]) for number, one in enumerate(events)]


def _of_item(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if item["type"] == "function_call":
        yield from ({"type": "response.function_call_arguments.delta", "delta": piece} for piece in pieces(item["arguments"]))
        yield {"type": "response.function_call_arguments.done", "name": item["name"], "arguments": item["arguments"]}
    if item["type"] == "reasoning":
        for index, part in enumerate(item["summary"]):
            at = {"summary_index": index}
            yield {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}}
            yield from ({"type": "response.reasoning_summary_text.delta", **at, "delta": piece} for piece in pieces(part["text"]))
            yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
            yield {"type": "response.reasoning_summary_part.done", **at, "part": part}
    if item["type"] == "message":
        for index, part in enumerate(item["content"]):
            at, name = {"content_index": index}, part["type"]
            held = "text" if name == "output_text" else "refusal"
            more = {"logprobs": []} if name == "output_text" else {}
            yield {"type": "response.content_part.added", **at, "part": {**part, held: ""}}
            yield from ({"type": f"response.{name}.delta", **at, "delta": piece, **more} for piece in pieces(part[held]))
            yield {"type": f"response.{name}.done", **at, held: part[held], **more}
            yield {"type": "response.content_part.done", **at, "part": part}
