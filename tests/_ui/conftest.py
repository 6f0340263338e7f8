"""A served site, and a plain client for it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests._listing.waiting import outbox  # noqa: F401  (a fixture)
from whyops._ui.server import UiServer
from whyops._ui.site import Site


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Asks a server, with the token and as a page of ours would; a test changes what it will. A header of None is left out."""

    def __init__(self, server: UiServer) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.server_port}"

    def ask(self, target: str, method: str = "GET", body: bytes | None = None, **headers: str | None) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Host": self.host, "X-Whyops-Token": self.server.token, **named}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answer

    def delete(self, trace_id: str, **headers: str | None) -> Answer:
        body = json.dumps({"id": trace_id}).encode()
        return self.ask("/api/delete", "POST", body, **{"Origin": f"http://{self.host}", **headers})

    def ids(self, query: str = "") -> list[str]:
        return [row["id"] for row in self.ask(f"/api/traces?{query}").data["traces"]]


Serve = Callable[..., Browser]


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Give what serves the home; all end with the test."""
    servers: list[UiServer] = []

    def start(**options: Any) -> Browser:
        server = UiServer(Site(home, version="0", **options))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return Browser(server)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def browser(serve: Serve) -> Browser:
    """Serve the home as the command does by default."""
    return serve()
