"""OpenAI's chat completions."""

from __future__ import annotations

import json
from typing import Any

from .openai_form import error, event, knows_key, pieces

__all__ = ["answer", "calls", "error", "knows_key", "problem", "stream"]

USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 21,
    "total_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 5,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
_ROLES = {"system", "developer", "user", "assistant", "tool"}
_KNOWN = {"frequency_penalty", "max_completion_tokens", "max_tokens", "messages", "model", "n", "parallel_tool_calls", "response_format"}
_KNOWN |= {"seed", "stop", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_p", "user"}


def problem(body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, if anything is."""
    if unknown := body.keys() - _KNOWN:
        return f"Unrecognized request argument supplied: {', '.join(sorted(unknown))}"
    if not isinstance(body.get("model"), str):
        return "you must provide a model parameter"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Invalid 'messages': empty array. Expected an array with minimum length 1."
    asked: set[str] = set()
    for place, message in enumerate(messages):
        wrong = _wrong(message, asked)
        if wrong:
            return f"Invalid value for 'messages[{place}]': {wrong}"
        asked = {call["id"] for call in message["tool_calls"]} if message.get("tool_calls") else asked - {message.get("tool_call_id")}
    return "An assistant message with 'tool_calls' must be followed by tool messages" if asked else None


def _wrong(message: dict[str, Any], asked: set[str]) -> str | None:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        return f"role {role!r}"
    if asked and role != "tool":
        return "tool messages must follow each tool call"
    if role == "tool" and (message.get("tool_call_id") not in asked or content is None):
        return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
    if content is None and not (role == "assistant" and (message.get("tool_calls") or message.get("refusal"))):
        return "expected a string, got null"
    for call in message.get("tool_calls") or ():
        if call.get("type") != "function" or not isinstance(call.get("function", {}).get("arguments"), str):
            return "a tool call's arguments are a string"
    return None


def calls(*called: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Give tool calls: of each the id, the function's name, the arguments."""
    return [{"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}} for id_, name, given in called]


def answer(content: str | None = None, finish_reason: str = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    """Give a whole answer; `message` is what its message has besides."""
    said = {"role": "assistant", "content": content, "refusal": None, "annotations": [], **message}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": usage or USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def stream(whole: dict[str, Any], body: dict[str, Any]) -> list[bytes]:
    """Give the events of a stream."""
    chunk = {**whole, "object": "chat.completion.chunk"}
    wants_usage = (body.get("stream_options") or {}).get("include_usage")
    if wants_usage:
        chunk["usage"] = None
    else:
        del chunk["usage"]
    events = []
    for choice in whole["choices"]:
        deltas = list(_deltas(choice["message"]))
        for delta, reason in [*((delta, None) for delta in deltas), ({}, choice["finish_reason"])]:
            told = {"index": choice["index"], "delta": delta, "logprobs": None, "finish_reason": reason}
            events.append(event({**chunk, "choices": [told]}))
    if wants_usage:
        events.append(event({**chunk, "choices": [], "usage": whole["usage"]}))
    return [*events, b"data: [DONE]\n\n"]


def _deltas(message: dict[str, Any]) -> Any:
    yield {"role": "assistant", "content": None if message.get("tool_calls") else "", "refusal": None}
    for name in ("reasoning_content", "content", "refusal"):
        for piece in pieces(message.get(name) or ""):
            yield {name: piece}
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield {"tool_calls": [{"index": index, **call, "function": {"name": call["function"]["name"], "arguments": ""}}]}
        for piece in pieces(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
