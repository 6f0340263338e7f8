"""A WhyOps proxy and service on this machine, with a scripted model behind it: so that the examples run without a key and a network.

The model calls the tool `find_order` with the number in the question, and repeats what the tool gives. What arrives is kept in `seen`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class ScriptedProxy:
    """Listens on a free port inside a `with` block. `seen` tells in one line each what was asked of it, with the trace it belongs to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._answer))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ScriptedProxy:  # noqa: PYI034  (`Self` is not in Python 3.10)
        """Start listening."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str, headers: dict[str, str], body: Any) -> object:
        if path.startswith("/api/entities?"):
            return {"success": True, "agents": [], "pagination": {"hasMore": False}}
        if path == "/api/entities/init":
            return {"success": True, "agentId": "agent-1", "agentVersionId": "version-1", "status": "created", "versionHash": "1"}
        if path == "/api/events":
            self.seen += [f"event  {event['traceId']}  {event['eventType']}" for event in body]
            return [{"id": event["idempotencyKey"], "status": "saved"} for event in body]
        self.seen.append(f"model  {headers['x-trace-id']}  {path}, for agent {headers['x-agent-name']}")
        return _chat(body, headers["x-trace-id"]) if path == "/v1/chat/completions" else _message(body)


def _chat(body: Any, trace_id: str) -> object:
    """Answer in OpenAI's form. As the proxy does, name the trace in the arguments of a tool call."""
    last = body["messages"][-1]
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if last["role"] == "tool":
        message["content"] = _told(last["content"])
    else:
        arguments = json.dumps({"order_id": _number_in(last["content"]), "_whyops_trace_id": trace_id})
        message["tool_calls"] = [{"id": "call-1", "type": "function", "function": {"name": "find_order", "arguments": arguments}}]
    choice = {"index": 0, "message": message, "finish_reason": "stop" if message["content"] else "tool_calls"}
    return {"id": "chat-1", "object": "chat.completion", "created": 1, "model": _bare(body["model"]), "choices": [choice]}


def _message(body: Any) -> object:
    """Answer in Anthropic's form."""
    content = body["messages"][-1]["content"]
    if isinstance(content, list):
        block: dict[str, Any] = {"type": "text", "text": _told(content[0]["content"])}
    else:
        block = {"type": "tool_use", "id": "call-1", "name": "find_order", "input": {"order_id": _number_in(content)}}
    return {
        "id": "message-1",
        "type": "message",
        "role": "assistant",
        "model": _bare(body["model"]),
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 20, "output_tokens": 10},
    }


def _bare(model: str) -> str:
    """Return a model's name without the slug of its provider, which only the proxy knows."""
    return model.rpartition("/")[2]


def _number_in(question: str) -> str:
    return "".join(character for character in question if character.isdigit())


def _told(result: str) -> str:
    order = json.loads(result)
    return f"Order {order['id']} is {order['status']}."


def _handler(answer: Callable[[str, dict[str, str], Any], object]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the list of agents: there is none yet
            self._send({"success": True, "agents": []})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(answer(self.path, headers, body))

        def _send(self, body: object) -> None:
            given = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(given)))
            self.end_headers()
            self.wfile.write(given)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name that it has above)
            """Say nothing: the example does."""

    return Handler
