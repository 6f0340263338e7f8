"""A model behind OpenAI's chat API on loopback, which answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.server.providers.chat import stream

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "prompt_tokens_details": {"cached_tokens": 60}}
Called = tuple[str, str, dict[str, Any]]
"""The id of a tool call, the tool's name and the arguments."""


def answer(text: str | None, *calls: Called) -> dict[str, Any]:
    made = [{"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}} for id_, name, given in calls]
    message = {"role": "assistant", "content": text, **({"tool_calls": made} if made else {})}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if made else "stop"}
    return {"id": "r", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice], "usage": USAGE}


@contextmanager
def chat_api(answers: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """Serve the answers in their order, streamed where it is asked for, and then an error.

    Yield the address, and the messages of each request as they come.
    """
    left, given = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            given.append(asked["messages"])
            streams = bool(asked.get("stream") and left)
            whole = left.pop(0) if left else {"error": {"message": "model down", "type": "bad"}}
            body = b"".join(stream(whole, asked)) if streams else json.dumps(whole).encode()
            self.send_response(400 if "error" in whole else 200)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", given
        server.shutdown()
