"""The providers' own APIs on a loopback port: OpenAI's chat, Responses, completions and embeddings, and Anthropic's messages.

A test puts what is to be answered into `script`. A request that the real API would refuse is refused in its form; an answer is streamed,
in the events of the real API, where the request asks for it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any

from tests.server.answer import Answer, Raw
from tests.server.connection import Listener
from tests.server.request import Request

from . import chat, completions, embeddings, messages, responses

APIS: dict[str, ModuleType] = {
    "/v1/chat/completions": chat,
    "/v1/completions": completions,
    "/v1/embeddings": embeddings,
    "/v1/messages": messages,
    "/v1/responses": responses,
}


@dataclass
class Cut:
    """An answer of whose stream only so many events arrive before the connection is gone."""

    whole: dict[str, Any]
    events: int


class ProviderServer:
    """The APIs, listening inside a `with` block. `script` is what is answered, in order; `requests` is what was asked."""

    def __init__(self) -> None:
        self.script: deque[dict[str, Any] | Answer | Raw | Cut] = deque()
        self.requests: list[Request] = []
        self._listener = Listener(0, 5.0, self._respond, 0)
        self.url = f"http://127.0.0.1:{self._listener.server_port}"

    def __enter__(self) -> ProviderServer:  # noqa: PYI034 - `Self` is not in Python 3.10
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="providers", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._listener.close()

    @property
    def bodies(self) -> list[Any]:
        """Give what was asked, parsed."""
        return [request.json() for request in self.requests]

    def _respond(self, request: Request) -> Answer | Raw:
        self.requests.append(request)
        given = self._answer(request)
        request.status = given.status
        return given

    def _answer(self, request: Request) -> Answer | Raw:
        api = APIS.get(request.path)
        if api is None or request.method != "POST":
            return Answer(404, {"error": {"message": f"Invalid URL ({request.method} {request.path})", "type": "invalid_request_error"}})
        if not api.knows_key(request.headers):
            return api.error(401, "no good key was given")
        body = request.json()
        problem = api.problem(body) if isinstance(body, dict) else "the body is no object"
        if problem is not None:
            return api.error(400, problem)
        scripted = self.script.popleft() if self.script else api.error(500, "the test has scripted no answer to this")
        if isinstance(scripted, (Answer, Raw)):
            return scripted
        whole = scripted.whole if isinstance(scripted, Cut) else scripted
        if not body.get("stream"):
            return Answer(200, whole)
        events: list[bytes] = api.stream(whole, body)
        if isinstance(scripted, Cut):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            sent = b"".join(events[: scripted.events])
            return Raw(head + f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
        return Answer(200, b"".join(events))
