"""A model behind the proxy, in the forms of both providers, streamed and not.

It repeats what the user said. Given tools, it calls the first one, with what the user said as arguments if that is a JSON object; given the
result, it repeats that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .answer import Answer
from .marks import mark_arguments, sign

_CALL_ID = "call_1"
NO_SUCH_MODEL = "no-such-model"
"""The model that neither provider has."""

CHAT_USAGE: dict[str, Any] = {
    "prompt_tokens": 10,
    "completion_tokens": 2,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 7},
}
RESPONSES_USAGE: dict[str, Any] = {
    "input_tokens": 10,
    "output_tokens": 2,
    "total_tokens": 12,
    "input_tokens_details": {"cached_tokens": 7},
    "output_tokens_details": {"reasoning_tokens": 0},
}
EMBEDDINGS_USAGE: dict[str, Any] = {"prompt_tokens": 3, "total_tokens": 3}
MESSAGES_USAGE: dict[str, Any] = {
    "input_tokens": 3,
    "output_tokens": 2,
    "cache_read_input_tokens": 7,
    "cache_creation_input_tokens": 5,
    "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4},
}


@dataclass
class Turn:
    """One request to the model, and what it says to that. Without a trace's id the answer has no marks: it is the provider's own."""

    body: dict[str, Any]
    trace_id: str

    @property
    def streams(self) -> bool:
        """Tell whether the answer is to be streamed."""
        return bool(self.body.get("stream"))

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers that name the trace."""
        return {"X-Trace-ID": self.trace_id, "X-Thread-ID": self.trace_id} if self.trace_id else {}

    @property
    def signature(self) -> str:
        """Give what the proxy adds to a text."""
        return sign(self.trace_id) if self.trace_id else ""

    @property
    def marked_arguments(self) -> str:
        """Give the tool call's arguments as the proxy hands them on."""
        return mark_arguments(self.arguments, self.trace_id) if self.trace_id else self.arguments

    @cached_property
    def said(self) -> tuple[str, bool]:
        """Give the last text that the model is told, and whether a tool says it."""
        last = self.body.get("messages") or self.body.get("input") or ""
        while isinstance(last, list):
            last = last[-1]
            if isinstance(last, str):
                break
            is_result = last.get("role") == "tool" or last.get("type") in {"tool_result", "function_call_output"}
            last = last.get("text", last.get("output", last.get("content", "")))
            if is_result:
                return str(last), True
        return str(last), False

    @property
    def tool(self) -> str | None:
        """Give the name of the tool that the model calls now, if it calls one."""
        tools = self.body.get("tools")
        if not tools or self.said[1]:
            return None
        name: str = tools[0].get("function", tools[0])["name"]
        return name

    @property
    def arguments(self) -> str:
        """Give the tool call's arguments as JSON text."""
        text = self.said[0]
        return text if text.startswith("{") else "{}"

    @property
    def text(self) -> str:
        """Give what the model says, if it calls no tool."""
        return "" if self.tool else f"{'The tool' if self.said[1] else 'You'} said: {self.said[0]}"


def refusal(turn: Turn, *, in_anthropics_form: bool) -> Answer | None:
    """Refuse a model that the provider doesn't have, in the provider's form."""
    if turn.body.get("model") != NO_SUCH_MODEL:
        return None
    if in_anthropics_form:
        error = {"type": "not_found_error", "message": f"model: {NO_SUCH_MODEL}"}
        return Answer(404, {"type": "error", "error": error, "request_id": "req_1"})
    message = f"The model `{NO_SUCH_MODEL}` does not exist"
    return Answer(404, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "model_not_found"}})


def chat(turn: Turn) -> Answer:
    """Answer `chat/completions`, signed. A plain answer names the trace in tool calls and not in headers, a stream the other way round."""
    whole = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": turn.body.get("model", "")}
    if turn.streams:
        return Answer(200, _events(_chat_chunks(turn, {**whole, "object": "chat.completion.chunk"}), end="[DONE]"), turn.headers)
    message: dict[str, Any] = {"role": "assistant", "content": turn.text + turn.signature if turn.text else None}
    if turn.tool:
        function = {"name": turn.tool, "arguments": turn.marked_arguments}
        message["tool_calls"] = [{"id": _CALL_ID, "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if turn.tool else "stop"}
    return Answer(200, {**whole, "choices": [choice], "usage": CHAT_USAGE})


def _chat_chunks(turn: Turn, chunk: dict[str, Any]) -> Iterable[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"content": word} for word in turn.text.split(" ") if word]
    if turn.tool:
        function = {"name": turn.tool, "arguments": turn.arguments}
        deltas = [{"tool_calls": [{"index": 0, "id": _CALL_ID, "type": "function", "function": function}]}]
    for delta in deltas:
        yield {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}]}
    yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if turn.tool else "stop"}]}
    if (turn.body.get("stream_options") or {}).get("include_usage"):
        yield {**chunk, "choices": [], "usage": CHAT_USAGE}
    if turn.signature:
        signature = {"index": 0, "delta": {"content": turn.signature}, "finish_reason": None}
        yield {**chunk, "id": "gen-signature", "choices": [signature]}


def responses(turn: Turn) -> Answer:
    """Answer `responses`. Plain answers are signed, and name the trace in tool calls; the headers always do."""
    arguments = turn.arguments if turn.streams else turn.marked_arguments
    text = turn.text if turn.streams else turn.text + turn.signature
    part = {"type": "output_text", "text": text, "annotations": []}
    item: dict[str, Any] = {"id": "item-1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    if turn.tool:
        item = {"id": "item-1", "type": "function_call", "call_id": _CALL_ID, "name": turn.tool, "arguments": arguments}
    whole = {
        "id": "response-1",
        "object": "response",
        "created_at": 1,
        "model": turn.body.get("model", ""),
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
    }
    if not turn.streams:
        return Answer(200, whole, turn.headers)
    place = {"item_id": "item-1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {**whole, "status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "sequence_number": 1, **place, "delta": turn.text, "logprobs": []},
        {"type": "response.completed", "sequence_number": 2, "response": whole},
    ]
    return Answer(200, _events(events, named=True), turn.headers)


def embeddings(turn: Turn) -> Answer:
    """Answer `embeddings`: a vector of two for each text."""
    texts = turn.body["input"] if isinstance(turn.body["input"], list) else [turn.body["input"]]
    data = [{"object": "embedding", "index": index, "embedding": [0.25, 0.5]} for index in range(len(texts))]
    return Answer(200, {"object": "list", "model": turn.body.get("model", ""), "data": data, "usage": EMBEDDINGS_USAGE}, turn.headers)


def messages(turn: Turn) -> Answer:
    """Answer `messages`, which the proxy does not mark; only a stream's headers name the trace."""
    block: dict[str, Any] = {"type": "text", "text": turn.text}
    if turn.tool:
        block = {"type": "tool_use", "id": _CALL_ID, "name": turn.tool, "input": json.loads(turn.arguments)}
    stop_reason = "tool_use" if turn.tool else "end_turn"
    whole = {"id": "msg-1", "type": "message", "role": "assistant", "model": turn.body.get("model", ""), "stop_sequence": None}
    if not turn.streams:
        return Answer(200, {**whole, "content": [block], "stop_reason": stop_reason, "usage": MESSAGES_USAGE})
    empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": turn.text}
    if turn.tool:
        empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": turn.arguments}
    events = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": MESSAGES_USAGE}},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return Answer(200, _events(events, named=True), turn.headers)


def _events(events: Iterable[dict[str, Any]], *, named: bool = False, end: str | None = None) -> bytes:
    """Write an event stream."""
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" if named else f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join([*lines, f"data: {end}\n\n" if end else ""]).encode()
