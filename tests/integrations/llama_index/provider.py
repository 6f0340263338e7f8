"""A server on loopback that answers as OpenAI or Anthropic does, streamed or not, and keeps the prompts as they came over the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from whyops._wire.prompt import ModelToolCall, PromptMessage

Say = str | tuple[str, dict[str, Any]]
"""A text, or the call of a tool."""


@contextmanager
def provider(given: list[list[PromptMessage]], *script: Say) -> Iterator[str]:
    """Serve the script; yields the server's address, without a path."""
    left = iter(script)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_anthropics = self.path.endswith("/messages")
            given.append(list(_of_anthropic(body) if is_anthropics else map(_of_openai, body["messages"])))
            answer = (_anthropic if is_anthropics else _openai)(next(left), streams=bool(body.get("stream")))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if body.get("stream") else "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# What comes


def _of_openai(message: dict[str, Any]) -> PromptMessage:
    calls = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()]
    content = message.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(part["text"] for part in content)
    return PromptMessage(message["role"], text, _calls(calls), message.get("tool_call_id"))


def _of_anthropic(body: dict[str, Any]) -> Iterator[PromptMessage]:
    if body.get("system"):
        yield PromptMessage("system", _text(body["system"]))
    for message in body["messages"]:
        parts = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        results = [part for part in parts if part["type"] == "tool_result"]
        yield from (PromptMessage("tool", _text(part["content"]), (), part["tool_use_id"]) for part in results)
        if not results:
            calls = [(part["id"], part["name"], part["input"]) for part in parts if part["type"] == "tool_use"]
            yield PromptMessage(message["role"], _text([part for part in parts if part["type"] == "text"]), _calls(calls))


def _text(content: str | Sequence[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def _calls(calls: Sequence[tuple[str, str, Any]]) -> tuple[ModelToolCall, ...]:
    return tuple(ModelToolCall(id_, name, json.loads(given) if isinstance(given, str) else given) for id_, name, given in calls)


# What goes


def _openai(say: Say, *, streams: bool) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": say if isinstance(say, str) else None}
    if not isinstance(say, str):
        function = {"name": say[0], "arguments": json.dumps(say[1])}
        message["tool_calls"] = [{"index": 0, "id": f"call_{say[0]}", "type": "function", "function": function}]
    whole = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    reason = "stop" if isinstance(say, str) else "tool_calls"
    if not streams:
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        return json.dumps({**whole, "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage}).encode()
    words = [{**message, "content": word} for word in say.split(" ")] if isinstance(say, str) else [message]
    words = [{**word, "content": f" {word['content']}" if place else word["content"]} for place, word in enumerate(words)]
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in words] + [{"index": 0, "delta": {}, "finish_reason": reason}]
    return b"".join(_event({**whole, "object": "chat.completion.chunk", "choices": [chunk]}) for chunk in chunks) + b"data: [DONE]\n\n"


def _anthropic(say: Say, *, streams: bool) -> bytes:
    part: dict[str, Any] = {"type": "text", "text": say}
    if not isinstance(say, str):
        part = {"type": "tool_use", "id": f"toolu_{say[0]}", "name": say[0], "input": say[1]}
    reason = "end_turn" if isinstance(say, str) else "tool_use"
    usage = {"input_tokens": 10, "output_tokens": 2}
    whole = {"id": "m1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-0", "stop_sequence": None, "usage": usage}
    if not streams:
        return json.dumps({**whole, "content": [part], "stop_reason": reason}).encode()
    if isinstance(say, str):
        begun, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": say}
    else:
        begun, delta = {**part, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(say[1])}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    return b"".join(_event(event) for event in events)


def _event(event: dict[str, Any]) -> bytes:
    named = f"event: {event['type']}\n" if "type" in event else ""
    return f"{named}data: {json.dumps(event)}\n\n".encode()
