"""OpenAI's chat API on this machine, with a scripted model behind it: so that an example runs without a key and a network.

The model calls the tool `find_order` with the number in the question, and tells what the tool gives, as a stream where that is asked for.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

USAGE: dict[str, Any] = {"prompt_tokens": 31, "completion_tokens": 12, "total_tokens": 43, "prompt_tokens_details": {"cached_tokens": 16}}


class ScriptedProvider:
    """Listens on a free port inside a `with` block."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ScriptedProvider:  # noqa: PYI034  (`Self` is not in Python 3.10)
        """Start listening."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_POST(self) -> None:
        """Answer in OpenAI's form."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        whole: dict[str, Any] = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": body["model"]}
        message, reason = _message(body["messages"][-1])
        if body.get("stream"):
            self._send(_events({**whole, "object": "chat.completion.chunk"}, message, reason), "text/event-stream")
        else:
            choice = {"index": 0, "message": message, "finish_reason": reason}
            self._send(json.dumps({**whole, "choices": [choice], "usage": USAGE}), "application/json")

    def _send(self, text: str, kind: str) -> None:
        given = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(given)))
        self.end_headers()
        self.wfile.write(given)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name that it has above)
        """Say nothing: the example does."""


def _message(last: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return what the model says to the last message, and why it stops there."""
    if last["role"] == "tool":
        order = json.loads(last["content"])
        return {"role": "assistant", "content": f"Order {order['id']} is {order['status']}."}, "stop"
    number = "".join(character for character in last["content"] if character.isdigit())
    function = {"name": "find_order", "arguments": json.dumps({"order_id": number})}
    calls: list[dict[str, Any]] = [{"id": "call-1", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"


def _events(chunk: dict[str, Any], message: dict[str, Any], reason: str) -> str:
    words = str(message["content"] or "").split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if index == 0 else f" {word}"} for index, word in enumerate(words)]
    choices: list[list[dict[str, Any]]] = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": reason}])
    told: list[dict[str, Any]] = [*({**chunk, "choices": one} for one in choices), {**chunk, "choices": [], "usage": USAGE}]
    return "".join(f"data: {json.dumps(one)}\n\n" for one in told) + "data: [DONE]\n\n"
