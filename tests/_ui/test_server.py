"""Who gets an answer from the server, over real connections: whoever has the token, asks this machine, and is no other origin's page."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run, conversation
from whyops._ui.server import UiServer
from whyops._ui.site import Site
from whyops.errors import WhyOpsError

from .conftest import Browser, Serve

TRACES = "/api/traces"


def run_of(trace_id: str) -> Run:
    run = Run(trace_id)
    run.user(f"I am {trace_id}")
    return run


def test_the_token_lets_in(browser: Browser) -> None:
    """The address opens the page; its token counts in the address and in the header."""
    path = browser.server.address.partition(browser.host)[2]
    page = browser.ask(path, X_Whyops_Token=None)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert browser.ask(TRACES).status == 200
    assert browser.ask(f"{TRACES}?token={browser.server.token}", X_Whyops_Token=None).status == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "localhost:9999", "localhost", "LOCALHOST:80", "[::1]:8000"], ids=["port", "tunnel", "bare", "case", "six"]
)
def test_through_a_tunnel(browser: Browser, host: str) -> None:
    """Any name of this machine will do, with any port: a tunnel has one of its own."""
    assert browser.ask(TRACES, Host=host, Origin=f"http://{host}").status == 200


REFUSED: dict[str, dict[str, str | None]] = {
    "no token": {"X_Whyops_Token": None},
    "empty token": {"X_Whyops_Token": ""},
    "wrong token": {"X_Whyops_Token": "x" * 32},
    "odd token": {"X_Whyops_Token": "t\u00f6ken"},
    "no host": {"Host": None},
    "rebound host": {"Host": "evil.example:80"},
    "host with our name in it": {"Host": "127.0.0.1.evil.example"},
    "host and user": {"Host": "evil@127.0.0.1:80"},
    "host, odd port": {"Host": "127.0.0.1:8o"},
    "every host": {"Host": "0.0.0.0:80"},
    "other origin": {"Origin": "http://evil.example"},
    "other port": {"Origin": "http://127.0.0.1:1"},
    "no origin at all": {"Origin": "null"},
    "https": {"Origin": "https://127.0.0.1:1"},
    "cross-site": {"Sec_Fetch_Site": "cross-site"},
    "same site, another port": {"Sec_Fetch_Site": "same-site"},
    "navigation to data": {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
}


def test_who_gets_nothing(serve: Serve, home: Path) -> None:
    """Anybody else gets 403: no body, and no header that tells what is here or allows anything."""
    store(home, conversation())
    browser = serve(may_delete=True)
    for name, headers in REFUSED.items():
        for method, path in (("GET", TRACES), ("POST", "/api/delete"), ("OPTIONS", TRACES)):
            answer = browser.ask(path, method, b'{"id": "session-123"}' if method == "POST" else None, **headers)
            assert (answer.status, answer.body, set(answer.headers)) == (403, b"", {"Content-Length", "Connection"}), (name, method)
    assert browser.ids() == ["session-123"]


def test_a_wrong_header_is_not_saved_by_the_address(browser: Browser) -> None:
    """Of two tokens both must be right, and there is one host."""
    assert browser.ask(f"{TRACES}?token={browser.server.token}", X_Whyops_Token="wrong").status == 403
    connection = http.client.HTTPConnection("127.0.0.1", browser.server.server_port, timeout=10)
    connection.putrequest("GET", f"{TRACES}?token={browser.server.token}")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status == 403
    connection.close()


def test_the_page_may_be_linked(browser: Browser) -> None:
    """The address works from a link anywhere, in a tab of its own alone: not in a frame, nor as a script or an image."""
    path = browser.server.address.partition(browser.host)[2]
    opened = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "X_Whyops_Token": None}
    assert browser.ask(path, **opened, Sec_Fetch_Dest="document").status == 200
    assert browser.ask(path, **opened, Sec_Fetch_Dest="iframe").status == 403
    assert browser.ask(path, **{**opened, "Sec_Fetch_Mode": "no-cors"}, Sec_Fetch_Dest="document").status == 403


def test_the_address_for_once(browser: Browser) -> None:
    """What a browser's command line shows leads to the address one time, and then to nothing."""
    path = browser.server.address_for_once().partition(browser.host)[2]
    assert browser.server.token not in path
    assert browser.ask("/?once=wrong", X_Whyops_Token=None).status == 403
    first = browser.ask(path, X_Whyops_Token=None)
    assert (first.status, first.headers["Location"]) == (303, f"/?token={browser.server.token}")
    assert browser.ask(path, X_Whyops_Token=None).status == 403


@pytest.mark.parametrize(
    "target",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/../api/traces",
        "/trace/",
        "//api/traces",
        "/API/traces",
        "/api/delete",
        "*",
        "/\\x",
    ],
)
def test_paths(browser: Browser, target: str) -> None:
    """An address that is none of ours is answered with an empty 404, or refused; no path is that of a file."""
    answer = browser.ask(target)
    assert answer.status in {403, 404} or (target, answer.status) == ("//api/traces", 200)
    assert answer.status == 200 or answer.body == b""


def test_a_request_to_elsewhere(browser: Browser) -> None:
    """This is no proxy: an address with a host in it is refused, whatever the host."""
    assert browser.ask(f"http://{browser.host}{TRACES}").status == 403
    assert browser.ask("http://[::1/").status == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "BREW"])
def test_methods(browser: Browser, method: str) -> None:
    """Nothing but GET and POST is answered, with or without a token."""
    answer = browser.ask(TRACES, method, Origin=f"http://{browser.host}")
    assert answer.status in {404, 501}
    assert answer.body == b""
    assert browser.ask(TRACES, method, X_Whyops_Token=None).status in {403, 501}


@pytest.mark.parametrize("request_", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01 / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_request(browser: Browser, request_: bytes) -> None:
    """It gets a status alone, or nothing, and the server goes on."""
    with socket.create_connection(("127.0.0.1", browser.server.server_port), timeout=10) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"<" not in answer
    assert browser.ask(TRACES).status == 200


@pytest.mark.parametrize("length", ["-1", "x", "100000", "9" * 5000, "1_0"])
def test_bodies_are_bounded(serve: Serve, length: str) -> None:
    """A body that is too long, or says not how long it is, is not read."""
    browser = serve(may_delete=True)
    origin = f"http://{browser.host}"
    assert browser.ask("/api/delete", "POST", Origin=origin, Content_Length=length).status == 403
    assert browser.ask("/api/delete", "POST", Origin=origin, Transfer_Encoding="chunked").status == 403


@pytest.mark.parametrize("path", ["/", "/trace?id=session-123", TRACES, "/nothing"])
def test_headers(browser: Browser, home: Path, path: str) -> None:
    """Each answer is kept nowhere, is taken for what it says it is, tells no other address of its own, and lets no other origin in."""
    store(home, conversation())
    headers = browser.ask(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert f"frame-ancestors '{'self' if 'trace?' in path else 'none'}'" in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith(("access-control", "set-cookie", "server"))]


def test_loopback_alone(browser: Browser) -> None:
    """It listens on this machine's own address, and on no other."""
    assert browser.server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken(browser: Browser, home: Path) -> None:
    """That the port can't be used is one sentence that names it."""
    port = browser.server.server_port
    with pytest.raises(WhyOpsError, match=f"Port {port} can't be used: .*Name another"):
        UiServer(Site(home, version="0"), port)


def test_two_at_once(serve: Serve, home: Path) -> None:
    """Each has its own port and token, and neither takes the other's."""
    store(home, conversation())
    one, other = serve(), serve()
    assert one.ids() == other.ids() == ["session-123"]
    assert one.ask(TRACES, X_Whyops_Token=other.server.token).status == 403


def test_deleting_takes_leave(browser: Browser, home: Path) -> None:
    """Without leave to delete, there is nothing that deletes, whoever asks."""
    store(home, conversation())
    assert browser.delete("session-123").status == 404
    assert browser.ask("/api/delete?id=session-123").status == 404
    assert browser.ids() == ["session-123"]


def test_deleting(serve: Serve, home: Path) -> None:
    """With leave, a POST with our origin and the token in its header removes the trace; a GET, or the address's token, does not."""
    store(home, run_of("a"), run_of("b"))
    browser = serve(may_delete=True)
    assert browser.ask("/api/delete?id=a").status == 404
    assert browser.delete("a", Origin="http://evil.example").status == 403
    assert browser.delete("a", Origin=None).status == 403
    body = b'{"id": "a"}'
    target = f"/api/delete?token={browser.server.token}"
    assert browser.ask(target, "POST", body, Origin=f"http://{browser.host}", X_Whyops_Token=None).status == 403
    assert browser.ids() == ["b", "a"]
    assert browser.delete("a").data == {"removed": 1, "erased": 0, "held": 0}
    assert browser.ids() == ["b"]
    for strange in (b"[]", b"{", b'{"id": 1}', b"[" * 9000):
        answer = browser.ask("/api/delete", "POST", strange, Origin=f"http://{browser.host}")
        assert answer.data == {"removed": 0, "erased": 0, "held": 0}
    assert browser.ids() == ["b"]
