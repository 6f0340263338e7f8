"""Sending, reading, `push` and `doctor` are one way to a server: the same connection, the same rules, the same headers."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

import whyops
from tests._cli.test_commands import store
from tests._render.recordings import conversation
from tests.server import StrictServer
from whyops._cli._main import main
from whyops.errors import ServiceError

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
HOST = "service.test"
KEY = "whyops_test"


class RecordingProxy(ThreadingHTTPServer):
    """A proxy that keeps what it is asked for, and asks one server for all of it: names below .test are nobody's."""

    daemon_threads = True

    def __init__(self, server: StrictServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server = server
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RecordingProxy
    own: ClassVar = {"proxy-authorization", "host", "content-length"}

    def _pass_on(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers))
        body = self.rfile.read(int(headers.get("content-length", 0)))
        far = HTTPConnection("127.0.0.1", self.server.server.port, timeout=10)
        path = "/" + self.path.split("/", 3)[3]
        far.request(self.command, path, body or None, {name: value for name, value in headers.items() if name not in self.own})
        answer = far.getresponse()
        data = answer.read()
        far.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _pass_on  # noqa: N815  (names of the standard library's)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictServer]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with StrictServer() as running:
        monkeypatch.setenv("WHYOPS_API_KEY", KEY)
        monkeypatch.setenv("WHYOPS_AGENT_NAME", "agent")
        yield running


@pytest.fixture
def proxy(server: StrictServer) -> Iterator[RecordingProxy]:
    running = RecordingProxy(server)
    yield running
    running.shutdown()
    running.server_close()


def at(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", f"{origin}/api")
    monkeypatch.setenv("WHYOPS_PROXY_BASE_URL", origin)


def send(seconds: float) -> None:
    sdk = whyops.WhyOps()
    sdk.trace("sent").user_message_sync([{"role": "user", "content": "Hello!"}])
    sdk.flush_sync(timeout=seconds)
    sdk.close_sync(timeout=0.1)


def describe(seconds: float) -> None:
    with whyops.WhyOps(agent_metadata={"systemPrompt": "", "tools": []}) as sdk:
        sdk.init_agent_sync()


def read(seconds: float) -> None:
    with contextlib.suppress(whyops.TraceNotFoundError):
        whyops.load_trace("only-there")


def show(seconds: float) -> None:
    main(["show", "only-there"])


def push(seconds: float) -> None:
    main(["push", "last", "--again", "--timeout", str(seconds)])


def doctor(seconds: float) -> None:
    main(["doctor"])


ENOUGH = 10.0
LITTLE = 0.2
"""Seconds that a way which waits for something to change may take."""

WAYS = (send, describe, read, show, push, doctor)


@pytest.mark.parametrize("way", WAYS)
def test_all_go_through_the_proxy_alike(
    way: Callable[[float], None], server: StrictServer, proxy: RecordingProxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked with whole addresses, it is told who asks in one form, and the server hears nothing that did not come through it."""
    store(home, conversation())
    at(monkeypatch, f"http://{HOST}")
    monkeypatch.setenv("HTTP_PROXY", f"http://me:word@127.0.0.1:{proxy.server_port}")
    way(ENOUGH)
    assert proxy.asked
    for method, url, headers in proxy.asked:
        assert url.startswith(f"http://{HOST}/")
        known = {"host": HOST, "authorization": f"Bearer {KEY}", "user-agent": "whyops-python", "accept-encoding": "identity"}
        known["proxy-authorization"] = "Basic bWU6d29yZA=="
        sent = {
            "content-type": "application/json",
            "x-agent-name": headers.get("x-agent-name"),
            "content-length": headers.get("content-length"),
        }
        assert headers == known | (sent if method == "POST" else {})
    assert len(server.requests) == len(proxy.asked)
    assert not any("proxy-authorization" in request.headers for request in server.requests)
    assert all(request.status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_FOUND} for request in server.requests)


@pytest.mark.parametrize("way", WAYS)
def test_all_name_a_proxy_that_is_not_spoken(
    way: Callable[[float], None],
    server: StrictServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They say how it begins and what to do, without its password. Nobody hears a word: neither the proxy, nor the server past it."""
    store(home, conversation())
    at(monkeypatch, server.origin)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        monkeypatch.setenv("ALL_PROXY", f"socks5://me:hunter2@127.0.0.1:{listener.getsockname()[1]}")
        said = ""
        try:
            way(LITTLE)
        except ServiceError as error:
            said = str(error)
        with pytest.raises(TimeoutError):
            listener.accept()
    out, err = capsys.readouterr()
    told = " ".join(f"{said} {out} {err} {caplog.text}".split())
    assert "ALL_PROXY names a proxy that begins with socks5://" in told
    assert "NO_PROXY" in told
    assert "hunter2" not in told
    assert "Traceback" not in told
    assert server.connections == 0


@pytest.mark.parametrize("way", WAYS)
def test_all_go_past_a_proxy_for_what_is_exempt(
    way: Callable[[float], None], server: StrictServer, proxy: RecordingProxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a host with its port."""
    store(home, conversation())
    at(monkeypatch, server.origin)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("NO_PROXY", f"127.0.0.1:{server.port}")
    way(ENOUGH)
    assert proxy.asked == []
    assert server.requests


def test_nothing_else_carries_requests() -> None:
    """The contract of import-linter forbids packages; this forbids the standard library's clients, which are parts of some."""
    package = Path(whyops.__file__).parent
    client = re.compile(r"^ *(import|from) (http\.client|urllib\.request|urllib3|requests)\b", re.MULTILINE)
    others = [path for path in package.rglob("*.py") if path.parent != package / "_http"]
    assert others
    assert not [path for path in others if client.search(path.read_text("utf-8"))]
