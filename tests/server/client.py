"""The plainest client: what a test of the server, or of a state it must be in, sends by hand."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .server import StrictServer

KEY = "whyops_test"


class Client:
    """One connection to a strict server; `status` and `body` of the last answer are kept."""

    def __init__(self, server: StrictServer, key: str = KEY) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self._headers = {"Authorization": f"Bearer {key}", "X-Agent-Name": "agent", "Content-Type": "application/json"}
        self.status = 0
        self.body: Any = None
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request and give the body of the answer. A body of bytes goes as it is; a header that is empty is left out."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        wanted = {name: value for name, value in {**self._headers, **(headers or {})}.items() if value}
        self._connection.request(method, path, raw, wanted)
        answer = self._connection.getresponse()
        self.status, self.body = answer.status, json.loads(answer.read())
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        return self.body

    def send(self, *events: object) -> Any:
        """Send events as an array."""
        return self.ask("POST", "/api/events/ingest", list(events))

    def init(self, prompt: str = "Be kind.", agent: str = "agent", tools: Iterable[object] = ()) -> Any:
        """Initialise an agent."""
        return self.ask("POST", "/api/entities/init", {"agentName": agent, "metadata": {"systemPrompt": prompt, "tools": list(tools)}})

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def __del__(self) -> None:
        self.close()


def event(**fields: Any) -> dict[str, Any]:
    """Make an event that the service takes; `fields` replace or add, and `...` leaves one out."""
    made = {"traceId": "t", "agentName": "agent", "eventType": "error", "content": {"message": "no"}, **fields}
    return {name: value for name, value in made.items() if value is not ...}


def llm_response(**metadata: Any) -> dict[str, Any]:
    """Make an `llm_response` event with `metadata` beside model and provider; `...` leaves one out."""
    made = {"model": "m", "provider": "p", **metadata}
    return event(eventType="llm_response", content={"content": "hi"}, metadata={k: v for k, v in made.items() if v is not ...})
