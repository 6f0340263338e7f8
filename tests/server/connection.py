"""One connection of a client: HTTP/1.1, kept open between requests, closed when idle for too long."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .answer import Answer, Raw
from .request import Request


class Listener(ThreadingHTTPServer):
    """The listening socket, with a thread for each connection. Closing it closes its connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, keep_alive: float, respond: Callable[[Request], Answer | Raw | None], accepted: int) -> None:
        super().__init__(("127.0.0.1", port), Connection)
        self.keep_alive = keep_alive
        self.respond = respond
        self.accepted = accepted
        self.numbers: dict[socket.socket, int] = {}

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        self.numbers[connection] = self.accepted
        return connection, address

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close a connection and forget it."""
        self.numbers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away in the middle; let every other error be seen."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self.shutdown()
        self.server_close()
        for connection in list(self.numbers):
            with contextlib.suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)


class Connection(BaseHTTPRequestHandler):
    """Reads requests, hands them on, writes the answers."""

    server: Listener
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Take the idle limit from the listener, and keep the number of this connection."""
        super().setup()
        self.number = self.server.numbers[self.request]
        self.connection.settimeout(self.server.keep_alive)

    def _serve(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query))
        request = Request(self.command, url.path, query, headers, self._read_body(), time.monotonic(), self.number)
        answer = self.server.respond(request)
        if answer is None:
            self.close_connection = True
        elif isinstance(answer, Raw):
            self.close_connection = True
            self._pour(answer)
        else:
            self._write(answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that the standard library looks for

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _write(self, answer: Answer) -> None:
        stream = isinstance(answer.body, bytes)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        if "Content-Type" not in answer.headers:
            self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if not self.close_connection:
            self.send_header("Connection", "keep-alive")
            self.send_header("Keep-Alive", f"timeout={self.server.keep_alive:g}")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]  # one write: two would wait for each other's ACK
        self.flush_headers()

    def _pour(self, answer: Raw) -> None:
        self.wfile.write(answer.first)
        while answer.again:
            time.sleep(answer.pause)
            self.wfile.write(answer.again)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Write nothing to stderr: the requests are kept."""
