"""Anthropic's messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.server.answer import Answer

from .openai_form import event, pieces

KEY = "sk-ant-good"
USAGE = {
    "input_tokens": 14,
    "output_tokens": 9,
    "cache_read_input_tokens": 7,
    "cache_creation_input_tokens": 5,
    "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4},
    "service_tier": "standard",
}
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


def knows_key(headers: Mapping[str, str]) -> bool:
    """Tell whether the request has a good key, as older clients send it or newer ones, and names the version of the API."""
    return KEY in {headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer ")} and "anthropic-version" in headers


def error(status: int, message: str) -> Answer:
    """Give an error in Anthropic's form."""
    return Answer(status, {"type": "error", "error": {"type": _TYPES[status], "message": message}, "request_id": "req_1"})


def problem(body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, if anything is."""
    if not isinstance(body.get("model"), str):
        return "model: Field required"
    if type(body.get("max_tokens")) is not int:
        return "max_tokens: Field required"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    asked: set[str] = set()
    for place, message in enumerate(messages):
        if message.get("role") not in {"user", "assistant"} or (place == 0 and message["role"] != "user"):
            return f"messages.{place}: role {message.get('role')!r}"
        blocks = message.get("content")
        if not blocks:
            return f"messages.{place}: all messages must have non-empty content"
        blocks = [] if isinstance(blocks, str) else blocks
        told = {block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"}
        if told != asked:
            return f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after, or the other way round"
        asked = {block["id"] for block in blocks if block.get("type") == "tool_use"}
    return "`tool_use` ids were found without `tool_result` blocks" if asked else None


def text(said: str, **more: Any) -> dict[str, Any]:
    """Give a block of text."""
    return {"type": "text", "text": said, "citations": None, **more}


def thinking(thought: str) -> dict[str, Any]:
    """Give a block of thinking."""
    return {"type": "thinking", "thinking": thought, "signature": "c2lnbmVk"}


def call(id_: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give a block that calls a tool."""
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments, "caller": {"type": "direct"}}


def answer(*blocks: dict[str, Any], stop_reason: str = "end_turn") -> dict[str, Any]:
    """Give a whole answer."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "content": list(blocks),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": USAGE,
    }


def stream(whole: dict[str, Any], body: dict[str, Any]) -> list[bytes]:
    """Give the events of a stream."""
    usage = {**whole["usage"], "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": usage}},
        {"type": "ping"},
    ]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _begun(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ends = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events += [
        {"type": "message_delta", "delta": ends, "usage": {"output_tokens": whole["usage"]["output_tokens"]}},
        {"type": "message_stop"},
    ]
    return [event(one, one["type"]) for one in events]


def _begun(block: dict[str, Any]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    if block["type"] == "text":
        return {**block, "text": ""}, ({"type": "text_delta", "text": piece} for piece in pieces(block["text"]))
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
        return {**block, "thinking": "", "signature": ""}, iter([*deltas, {"type": "signature_delta", "signature": block["signature"]}])
    if block["type"] in {"tool_use", "server_tool_use"}:
        given = json.dumps(block["input"]) if block["input"] else ""
        return {**block, "input": {}}, ({"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(given)])
    return block, iter(())
