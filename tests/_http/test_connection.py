"""The ways to a server: straight, through proxies, with TLS; and answers that are no answers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from whyops._http import connection
from whyops._http.answer import Answer
from whyops._http.channel import Unreachable
from whyops._http.connection import KeptConnection

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n[]"


class Peer:
    """Takes connections, keeps the heads of the requests, and answers each with the next of `answers`; with a context, in TLS."""

    def __init__(self, *answers: bytes, tls: ssl.SSLContext | None = None, drip: float = 0.0) -> None:
        self._answers = iter(answers)
        self._tls = tls
        self._drip = drip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heads: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for answer in self._answers:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self._talk(connection, answer)

    def _talk(self, connection: socket.socket, answer: bytes) -> None:
        with connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while answer:
                head = self._receive(connection)
                if not head:
                    break
                self.heads.append(head)
                for start in range(0, len(answer), 20 if self._drip else len(answer)):
                    connection.sendall(answer[start : start + (20 if self._drip else len(answer))])
                    time.sleep(self._drip)
                if head.startswith("CONNECT"):
                    self._pass_on(connection, head)
            connection.close()

    def _pass_on(self, near: socket.socket, head: str) -> None:
        host, _, port = head.split()[1].rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            there = threading.Thread(target=_pump, args=(near, far), daemon=True)
            there.start()
            _pump(far, near)

    def _receive(self, connection: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            block = connection.recv(65536)
            if not block:
                return ""
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = next((int(line.split(":")[1]) for line in text.splitlines() if line.lower().startswith("content-length")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        return text

    def close(self) -> None:
        self._listener.close()


def _pump(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := near.recv(65536):
            far.sendall(block)


@contextlib.contextmanager
def listening(*answers: bytes, **options: object) -> Iterator[Peer]:
    peer = Peer(*answers, **options)  # type: ignore[arg-type]
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture
def ours():
    made = KeptConnection()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def post(way: KeptConnection, url: str, timeout: float = 5.0) -> Answer:
    return way.post(url, {"Authorization": "Bearer secret"}, b"[]", timeout)


def test_an_answer_is_read(ours):
    """Status, headers in lower case, body; the query goes along."""
    with listening(ANSWER) as peer:
        answer = post(ours, f"http://127.0.0.1:{peer.port}/api?a=b")
        assert (answer.status, answer.headers["retry-after"], answer.body) == (201, "3", b"[]")
        assert peer.heads[0].startswith("POST /api?a=b HTTP/1.1")


def test_a_proxy_is_gone_through(ours, monkeypatch):
    """It gets the whole address, and its own password; hosts that are exempt are asked straight."""
    with listening(ANSWER, ANSWER) as peer:
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{peer.port}")
        assert post(ours, "http://service.test/api").status == 201
        assert peer.heads[0].startswith("POST http://service.test/api HTTP/1.1")
        assert "Proxy-Authorization: Basic bWU6cEBzcw==" in peer.heads[0]
        ours.close()
        monkeypatch.setenv("http_proxy", "nobody.invalid:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert post(ours, f"http://127.0.0.1:{peer.port}/api").status == 201
        assert peer.heads[1].startswith("POST /api HTTP/1.1")
        assert "Proxy-Authorization" not in peer.heads[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key", "-out", f"{folder}/pem"]
    subprocess.run(command, check=True, capture_output=True)
    whole = folder / "whole.pem"
    whole.write_bytes((folder / "key").read_bytes() + (folder / "pem").read_bytes())
    return whole


@pytest.fixture
def tls(certificate, monkeypatch):
    monkeypatch.setattr(connection, "_CERTIFI", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def test_tls_is_checked(ours, tls):
    """A known certificate passes, an unknown one is no answer."""
    with listening(ANSWER, tls=tls) as peer:
        assert post(ours, f"https://127.0.0.1:{peer.port}/api").status == 201


def test_an_unknown_certificate_is_no_answer(ours, certificate):
    """And the reason is told."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with listening(ANSWER, tls=context) as peer, pytest.raises(Unreachable, match=r"(?i)certificate"):
        post(ours, f"https://127.0.0.1:{peer.port}/api")


def test_tls_goes_through_a_proxy(ours, tls, monkeypatch):
    """Which sees the host's name, its own password, and nothing else."""
    with listening(ANSWER, tls=tls) as far, listening(b"HTTP/1.1 200 OK\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:pass@127.0.0.1:{proxy.port}")
        assert post(ours, f"https://127.0.0.1:{far.port}/api").status == 201
        assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{far.port}")
        assert "Proxy-Authorization: Basic bWU6cGFzcw==" in proxy.heads[0]
        assert "secret" not in proxy.heads[0]
        assert far.heads[0].startswith("POST /api HTTP/1.1")
        assert "Proxy-Authorization" not in far.heads[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "another protocol", "no status", "broken chunks", "many headers", "a long header"],
)
def test_what_is_no_answer(ours, answer):
    """It is as if nobody had answered, and the key is not told."""
    with listening(answer, answer) as peer, pytest.raises(Unreachable) as told:
        post(ours, f"http://127.0.0.1:{peer.port}/api")
    assert "secret" not in str(told.value)


def test_a_dripping_answer_keeps_the_limit(ours):
    """The limit is for the whole of a body, not for each piece."""
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, drip=0.1) as peer:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            post(ours, f"http://127.0.0.1:{peer.port}/api", timeout=0.7)
        assert time.monotonic() - started < 3


def test_a_connection_to_another_server_is_a_new_one(ours):
    """One is kept, to the server that was asked last; one that says it closes is not kept."""
    with listening(ANSWER) as first, listening(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as second:
        assert post(ours, f"http://127.0.0.1:{first.port}/").status == 201
        assert post(ours, f"http://127.0.0.1:{first.port}/").status == 201
        assert post(ours, f"http://127.0.0.1:{second.port}/").status == 201
        assert ours._open is None
