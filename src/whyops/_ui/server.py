"""The HTTP server: it listens on loopback alone, answers whoever may ask, and gives anybody else a bare 403."""

from __future__ import annotations

import contextlib
import secrets
import socketserver
import sys
from collections import defaultdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from ..errors import WhyOpsError
from .guard import Headers, may_ask
from .site import NOTHING, Reply, Site, fields_of

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 30
_MOST_BODY_BYTES = 10_000

_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class UiServer(ThreadingHTTPServer):
    """Serves a site at an address that nobody can guess, until `close`. Each has a token of its own.

    Raises:
        WhyOpsError: The port can't be used.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = sys.platform != "win32"  # there it would let two listen on one port

    def __init__(self, site: Site, port: int = 0) -> None:
        self.site = site
        self.token = secrets.token_urlsafe(24)
        self._once: str | None = None
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            raise WhyOpsError(f"Port {port} can't be used: {error}. Name another, or leave --port out.") from None

    @property
    def address(self) -> str:
        """The address to open."""
        return f"http://{LOOPBACK}:{self.server_port}/?token={self.token}"

    def address_for_once(self) -> str:
        """Return an address that leads to the other one, once: a browser's command line can be read by all users of a machine."""
        self._once = secrets.token_urlsafe(24)
        return f"http://{LOOPBACK}:{self.server_port}/?once={self._once}"

    def is_once(self, given: str) -> bool:
        """Tell whether this is the code that leads to the address, which then is used up."""
        is_it = self._once is not None and secrets.compare_digest(self._once.encode(), given.encode("utf-8", "replace"))
        if is_it:
            self._once = None
        return is_it

    def server_bind(self) -> None:
        """Bind, without looking up the machine's name as the standard library does, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that goes away in the middle of an answer."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the standard library's own types are narrower


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    @property
    def _ui(self) -> UiServer:
        return cast("UiServer", self.server)

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer()

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  (the standard library's names)

    def _answer(self) -> None:
        try:
            asked = urlsplit(self.path)
        except ValueError:
            self._refuse()
            return
        fields = dict(parse_qsl(asked.query, keep_blank_values=True, errors="replace"))
        opens_page = asked.path == "/" and self.command == "GET"
        headers = self._headers()
        if opens_page and may_ask("GET", headers, "", "", opens_page=True) and self._ui.is_once(fields.get("once", "")):
            self._send(Reply(HTTPStatus.SEE_OTHER), {"Location": f"/?token={self._ui.token}"})
            return
        is_plain = not asked.scheme and not asked.netloc
        if not is_plain or not may_ask(self.command, headers, self._ui.token, fields.get("token", ""), opens_page=opens_page):
            self._refuse()
            return
        body = self._body()
        if body is None:
            self._refuse()
            return
        self._send(self._ui.site.answer(self.command, asked.path, fields_of(body) if self.command == "POST" else fields))

    def _headers(self) -> Headers:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self.headers.items():
            found[name.lower()].append(value)
        return found

    def _body(self) -> bytes | None:
        """Return what came with the request; None if it is too much, or says not how much."""
        length = self.headers.get("Content-Length", "0")
        is_number = length.isascii() and length.isdigit() and len(length) <= len(str(_MOST_BODY_BYTES))
        if "Transfer-Encoding" in self.headers or not is_number or int(length) > _MOST_BODY_BYTES:
            return None
        return self.rfile.read(int(length))

    def _refuse(self) -> None:
        self.close_connection = True
        self.send_response_only(HTTPStatus.FORBIDDEN)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, reply: Reply, more: dict[str, str] | None = None) -> None:
        self.send_response_only(reply.status)
        for name, value in {**_ALWAYS, **(more or {}), "Content-Security-Policy": reply.policy}.items():
            self.send_header(name, value)
        if reply is not NOTHING:
            self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def send_error(self, code: int, *_: object, **__: object) -> None:
        """Answer what is no request with its status alone."""
        self.close_connection = True
        self.request_version = "HTTP/1.1"
        with contextlib.suppress(OSError):
            self.send_response_only(code)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the standard library's name)
        """Write nothing: the terminal has the address."""
