"""The ways to a server: straight, through proxies, with TLS; and answers that are no answers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import whyops._http.transport
from tests._http.endless import ENDLESS
from tests.server import StrictServer
from whyops._http import connection
from whyops._http.answer import Answer
from whyops._http.channel import Channel, Request, Unreachable
from whyops._http.connection import KeptConnection
from whyops._http.transport import OwnTransport, open_channel

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n[]"


class Peer:
    """Takes connections, keeps the heads of the requests, and answers each with the next of `answers`; with a context, in TLS.

    One that `greets` says that without being asked, and reads nothing.
    """

    def __init__(
        self, *answers: bytes, tls: ssl.SSLContext | None = None, drip: float = 0.0, greets: bool = False, linger: float = 0.0
    ) -> None:
        self._answers = iter(answers)
        self._tls = tls
        self._drip = drip
        self._greets = greets
        self._linger = linger
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
            if self._greets:
                self._say(connection, answer)
                time.sleep(self._linger)
                return
            while answer:
                head = self._receive(connection)
                if not head:
                    break
                self.heads.append(head)
                self._say(connection, answer)
                if head.startswith("CONNECT"):
                    self._pass_on(connection, head)
            connection.close()

    def _say(self, connection: socket.socket, answer: bytes) -> None:
        for start in range(0, len(answer), 20 if self._drip else len(answer)):
            connection.sendall(answer[start : start + (20 if self._drip else len(answer))])
            time.sleep(self._drip)

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


def post(way: Channel, url: str, timeout: float = 5.0) -> Answer:
    return way.exchange(Request("POST", url, {"Authorization": "Bearer secret"}, b"[]", timeout))


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


def test_a_python_without_connections(monkeypatch):
    """As in a browser: what is missing is named, when something is asked; a transport needs nothing of it."""
    monkeypatch.setitem(sys.modules, "whyops._http.connection", None)
    with contextlib.closing(open_channel(None)) as way, pytest.raises(Unreachable, match=r"has no .*connection, so it can make no"):
        post(way, "http://service.test/api")
    transport = httpx.MockTransport(lambda _: httpx.Response(201, content=b"[]"))
    assert post(open_channel(transport), "http://service.test/api").status == 201


def test_a_proxy_that_wants_a_password(ours, monkeypatch):
    """Its answer is not taken for the service's, and it is told which proxy says so; the same where it is to connect."""
    with listening(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1 502 No\r\n\r\n") as proxy:
        monkeypatch.setenv("all_proxy", f"http://me:hunter2@127.0.0.1:{proxy.port}")
        for scheme, told in (("http", "407, which wants"), ("https", "407, which wants"), ("https", "502$")):
            with pytest.raises(Unreachable, match=f"^the proxy 127.0.0.1:{proxy.port} answers {told}") as refused:
                post(ours, f"{scheme}://service.test/api")
            assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("host, told", [("127.0.0.1", "127.0.0.1"), ("[::1]", r"\[::1\]")])
def test_a_proxy_that_is_away(ours, monkeypatch, host, told):
    """It is told that it is the proxy."""
    monkeypatch.setenv("HTTP_PROXY", f"http://me:hunter2@{host}:9")
    with pytest.raises(Unreachable, match=f"^at the proxy {told}:9: .*Error: ") as away:
        post(ours, "http://service.test/api")
    assert "hunter2" not in str(away.value)


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


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://127.0.0.1:port", "http://"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
def test_a_proxy_that_is_not_spoken(ours, monkeypatch, proxy, variable):
    """It is named before anything is sent, without the password."""
    monkeypatch.setenv(variable, proxy.replace("://", "://me:hunter2@"))
    with listening(ANSWER) as peer:
        with pytest.raises(Unreachable, match=f"{variable.upper()} names") as told:
            post(ours, f"http://127.0.0.1:{peer.port}/api")
        assert "hunter2" not in str(told.value)
        assert peer.heads == []


@pytest.mark.parametrize("exempt", ["127.0.0.1", "127.0.0.1:{port}", "10.0.0.0/8, 127.0.0.0/8", "*"])
def test_what_goes_past_a_proxy(ours, monkeypatch, exempt):
    """A host, a host with its port, a network."""
    with listening(ANSWER) as peer:
        monkeypatch.setenv("HTTP_PROXY", "http://nobody.invalid:1")
        monkeypatch.setenv("NO_PROXY", exempt.format(port=peer.port))
        assert post(ours, f"http://127.0.0.1:{peer.port}/api").status == 201


@pytest.mark.parametrize("exempt", ["127.0.0.1:1", "10.0.0.0/8", "nonsense/8", "other.test"])
def test_what_does_not_go_past_a_proxy(ours, monkeypatch, exempt):
    """All else goes through it."""
    with listening(ANSWER) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", exempt)
        assert post(ours, "http://127.0.0.2:9/api").status == 201


def test_tls_is_checked(ours, tls):
    """A known certificate passes, and the connection is kept: the peer takes one, and both requests come over it."""
    with listening(ANSWER, tls=tls) as peer:
        assert post(ours, f"https://127.0.0.1:{peer.port}/api").status == 201
        assert post(ours, f"https://127.0.0.1:{peer.port}/api").status == 201
        assert len(peer.heads) == 2


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


ENDS = 20.0
"""Seconds by which all that was given a part of one must have ended; a machine may be slow."""


@pytest.fixture(params=["own", "transport"])
def way(request):
    """Both ways to a server: a connection of ours, and a transport of the user's."""
    if request.param == "own":
        channel = KeptConnection()
        yield channel
        channel.close()
        return
    with httpx.HTTPTransport(verify=False) as transport:
        yield OwnTransport(transport)


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_that_drips_without_an_end(way, name):
    """The limit is for all of the exchange, and not for each piece of it."""
    with StrictServer() as server:
        if name == "nothing at all":
            server.hang()
        else:
            server.pour(*ENDLESS[name], pause=0.02)
        started = time.monotonic()
        with pytest.raises(Unreachable):
            post(way, server.url, timeout=0.1)
        assert time.monotonic() - started < ENDS


@pytest.mark.parametrize("name", [name for name, (_, again) in ENDLESS.items() if again])
def test_an_answer_that_pours_without_an_end(ours, name):
    """What is read of an answer is bounded, too: nobody fills our memory, however much time there is."""
    with StrictServer() as server:
        first, again = ENDLESS[name]
        server.pour(first, again * (20_000 // len(again)))
        with pytest.raises(Unreachable) as told:
            ours.exchange(Request("GET", server.url, {}, None, 50.0, max_answer=300_000))
        assert "no answer in time" not in str(told.value)


def test_a_transport_pours_without_an_end(way):
    """A body is bounded through a transport of the user's as well."""
    with StrictServer() as server:
        server.pour(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 20_000)
        with pytest.raises(Unreachable, match="sends more"):
            way.exchange(Request("GET", server.url, {}, None, 50.0, max_answer=300_000))


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999999", b"Transfer-Encoding: chunked"])
def test_an_answer_that_announces_much(ours, head):
    """Nothing is made ready for what is only announced."""
    with listening(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\nfffffffffffff\r\n") as peer, pytest.raises(Unreachable):
        post(ours, f"http://127.0.0.1:{peer.port}/", timeout=0.5)


def test_a_server_that_does_not_read(ours):
    """Sending is within the limit."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            ours.exchange(Request("POST", f"http://127.0.0.1:{deaf.getsockname()[1]}/", {}, b"x" * 30_000_000, 0.4))
        assert time.monotonic() - started < ENDS


@pytest.mark.parametrize("drips", [True, False])
def test_a_handshake_without_an_end(ours, drips, monkeypatch):
    """Neither silence nor a record that comes byte by byte holds us up, nor does a proxy that never says whether it connects."""
    record = b"\x16\x03\x03\x40\x00"
    with listening(record + b"\x02" * 400 if drips else b"", drip=0.05, greets=True, linger=2) as peer:
        address = f"127.0.0.1:{peer.port}"
        started = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            post(ours, f"https://{address}/", timeout=0.15)
        assert time.monotonic() - started < ENDS
    with StrictServer() as proxy:
        proxy.pour(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause=0.05)
        monkeypatch.setenv("https_proxy", proxy.origin)
        with pytest.raises(Unreachable):
            post(ours, "https://service.test/", timeout=0.15)
        assert time.monotonic() - started < ENDS


def test_a_slow_answer_in_time_is_read(way):
    """What drips and comes to its end in time is an answer like any other."""
    with StrictServer() as server:
        server.slow(0.2)
        assert post(way, f"{server.url}/events/ingest", timeout=ENDS).status == 401


def test_transports_that_hang(monkeypatch):
    """A request that is over its time is left behind; while some of these hang, no more are made, and then it goes on."""
    monkeypatch.setattr(whyops._http.transport, "MOST_HANGING", 2)
    with StrictServer() as server, httpx.HTTPTransport(verify=False) as transport:
        way = OwnTransport(transport)
        server.pour(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause=0.05, times=None)
        for _ in range(2):
            with pytest.raises(Unreachable, match="no answer in time"):
                post(way, server.url, timeout=0.2)
        with pytest.raises(Unreachable, match="2 earlier requests hang"):
            post(way, server.url)
        assert len(server.requests) == 2
        server.clear()
        server.stop()
        server.start()
        server.wait_until(lambda: not any(thread.name == "whyops-transport" for thread in threading.enumerate()))
        assert post(way, f"{server.origin}/health").status == 401


@pytest.mark.parametrize("status", [102, 103, 101])
def test_an_answer_before_the_answer_is_not_taken_for_it(ours, status):
    """Nor is the true one taken for the answer to the next request: the connection is not used again."""
    early = f"HTTP/1.1 {status} Early\r\n\r\n".encode()
    with listening(early + ANSWER, ANSWER.replace(b"[]", b"{}")) as peer:
        with pytest.raises(Unreachable):
            post(ours, f"http://127.0.0.1:{peer.port}/")
        assert post(ours, f"http://127.0.0.1:{peer.port}/").body == b"{}"


@pytest.mark.parametrize("drip", [0.0, 0.05])
def test_more_than_an_answer_is_not_taken_for_the_next(ours, drip):
    """Whether it comes with the answer or after it: the connection is given up."""
    with listening(ANSWER + ANSWER.replace(b"[]", b"{}"), ANSWER.replace(b"[]", b"42"), drip=drip) as peer:
        assert post(ours, f"http://127.0.0.1:{peer.port}/").body == b"[]"
        time.sleep(4 * drip)
        assert post(ours, f"http://127.0.0.1:{peer.port}/").body == b"42"


@pytest.mark.parametrize("body", [b"Content-Length: 40\r\n\r\n[]", b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"])
def test_an_answer_that_breaks_off(way, body):
    """A part of an answer is none, also where that part makes sense."""
    with StrictServer() as server:
        server.pour(b"HTTP/1.1 201 Created\r\n" + body)
        with pytest.raises(Unreachable):
            post(way, server.url)


def test_an_answer_before_all_is_sent(ours):
    """A server that refuses what it has not read to its end is heard."""
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with listening(refusal, greets=True, linger=0.5) as peer:
        assert ours.exchange(Request("POST", f"http://127.0.0.1:{peer.port}/", {}, b"x" * 30_000_000, ENDS)).status == 413


def test_an_interrupted_exchange_leaves_no_connection(ours, monkeypatch):
    """Whoever is interrupted in the middle does not read the rest of that answer as the next."""
    with listening(ANSWER, ANSWER.replace(b"[]", b"{}")) as peer:
        with monkeypatch.context() as patched:
            patched.setattr(connection, "_read", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                post(ours, f"http://127.0.0.1:{peer.port}/")
        assert post(ours, f"http://127.0.0.1:{peer.port}/").body == b"{}"


def test_a_dripping_answer_keeps_the_limit(ours):
    """The limit is for the whole of a body, not for each piece."""
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, drip=0.05) as peer:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            post(ours, f"http://127.0.0.1:{peer.port}/api", timeout=0.3)
        assert time.monotonic() - started < 3


def test_a_connection_to_another_server_is_a_new_one(ours):
    """One is kept, to the server that was asked last; one that says it closes is not kept."""
    with listening(ANSWER) as first, listening(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as second:
        assert post(ours, f"http://127.0.0.1:{first.port}/").status == 201
        assert post(ours, f"http://127.0.0.1:{first.port}/").status == 201
        assert post(ours, f"http://127.0.0.1:{second.port}/").status == 201
        assert ours._open is None
