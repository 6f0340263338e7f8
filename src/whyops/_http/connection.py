"""One kept connection to a server, and how a request gets there and back.

The standard library's client is used, not httpx: it costs a tenth of the imports, and those are made by a background thread, where a
library that others look for in `sys.modules` must not be imported.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  (a look-up of a host loads it, and a fork at that moment would leave the child without it for good)
import http.client
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus
from urllib.parse import SplitResult, quote, urlsplit

import certifi

from .._runtime.clock import CLOCK
from .answer import Answer
from .channel import Channel, Deadline, Request, Unreachable
from .proxies import Proxy, proxy_for
from .timed_socket import TimedSocket, TooLong, connect

_CERTIFI = certifi.where()  # asked for here, since it imports more, and a fork while a thread does that is trouble; httpx requires it
KEEP_SECONDS = 3.0
HEAD_BYTES = 200_000
"""Before a body, all that may come beside it: heads, and the answers that are none yet (1xx)."""
_BLOCK = 1 << 16
_STALE = (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_LEFT_OFF = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_PORTS = {"http": 80, "https": 443}


@dataclass
class _Open:
    """A connection, and to which server. A proxy that passes on single requests is told each with its whole address."""

    server: str
    timed: TimedSocket
    client: http.client.HTTPConnection
    proxy: Proxy | None
    used_at: float = 0.0


class KeptConnection(Channel):
    """A channel on `http.client`: one connection, to the server that was asked last. It goes through the proxies of the environment."""

    def __init__(self) -> None:
        self._open: _Open | None = None

    def exchange(self, request: Request) -> Answer:
        """Return the answer; a kept connection that proves dead is replaced once."""
        deadline = Deadline(request.timeout)
        try:
            target = urlsplit(request.url)
            if (kept := self._kept(target)) is not None:
                with suppress(*_STALE):
                    return self._talk(kept, request, target, deadline)
            return self._talk(self._connect(target, deadline), request, target, deadline)
        except (OSError, http.client.HTTPException, TooLong, ValueError) as error:
            raise Unreachable(_why(error)) from None

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.timed.socket.close()
            self._open = None

    def _kept(self, target: SplitResult) -> _Open | None:
        """Return the connection, if it goes there, was used just now, and nothing came since: that would be taken for the next answer."""
        kept = self._open
        if (
            kept is not None
            and kept.server == _server(target)
            and CLOCK.monotonic() - kept.used_at < KEEP_SECONDS
            and kept.timed.is_quiet()
        ):
            return kept
        self.close()
        return None

    def _talk(self, way: _Open, request: Request, target: SplitResult, deadline: Deadline) -> Answer:
        """Send the request, read its answer. The connection is kept only if all of both went well."""
        self._open = None
        keep = False
        try:
            way.timed.deadline = deadline
            whole = self._send(way, request, target)
            answer, open_ended = _read(way, request.max_answer)
            if way.proxy is not None and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                raise way.proxy.refusal(answer.status)
            keep = whole and not open_ended
            return answer
        finally:
            if keep:
                way.used_at = CLOCK.monotonic()
                self._open = way
            else:
                way.timed.socket.close()

    def _send(self, way: _Open, request: Request, target: SplitResult) -> bool:
        """Return whether all of it was taken: a server may answer, and stop listening, before it has heard the end."""
        path = (quote(target.path, safe="/%:@!$&'()*+,;=~") or "/") + (f"?{target.query}" if target.query else "")
        headers = dict(request.headers)
        if way.proxy is not None:
            path = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{path}"
            headers |= way.proxy.headers
        try:
            way.client.request(request.method, path, request.body, headers)
        except _LEFT_OFF:
            return False
        return True

    def _connect(self, target: SplitResult, deadline: Deadline) -> _Open:
        if target.scheme not in _PORTS or not target.hostname:
            raise ValueError("the base URL is not one")
        port = target.port or _PORTS[target.scheme]
        proxy = proxy_for(target.scheme, target.hostname, port)
        timed = TimedSocket(_connected(proxy, target.hostname, port, deadline), deadline)
        try:
            if target.scheme == "https":
                if proxy is not None:
                    _tunnel(timed, proxy, target.hostname, port)
                timed.socket.settimeout(deadline.remaining())
                timed.socket = self._tls.wrap_socket(timed.socket, server_hostname=target.hostname)
        except BaseException:
            timed.socket.close()
            raise
        client = http.client.HTTPConnection(target.hostname, port)
        client.default_port = _PORTS[target.scheme]  # which is not told as part of the host
        client.auto_open = 0  # where this one ends, so does the exchange
        client.sock = timed
        return _Open(_server(target), timed, client, proxy if target.scheme == "http" else None)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """A context that trusts what the system trusts, and what certifi does: some systems have no list."""
        context = ssl.create_default_context()
        context.load_verify_locations(_CERTIFI)
        return context


def _connected(proxy: Proxy | None, host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to a server, or to the proxy that is on the way."""
    if proxy is None:
        return connect(host, port, deadline)
    try:
        return connect(proxy.host, proxy.port, deadline)
    except (OSError, ValueError) as error:
        raise Unreachable(f"at {proxy}: {_why(error)}") from None


def _tunnel(timed: TimedSocket, proxy: Proxy, host: str, port: int) -> None:
    """Have a proxy connect us with a server.

    Raises:
        Unreachable: it does not.
    """
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}", *(f"{key}: {value}" for key, value in proxy.headers.items())]
    timed.allowed = HEAD_BYTES
    timed.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = http.client.HTTPResponse(timed, method="CONNECT")  # type: ignore[arg-type]  # as much of a socket as it uses
    answer.begin()
    if answer.status // 100 != 2:
        raise proxy.refusal(answer.status)


def _read(way: _Open, max_answer: int) -> tuple[Answer, bool]:
    """Return the answer, and whether the connection is of no more use after it."""
    way.timed.allowed = HEAD_BYTES
    response = way.client.getresponse()
    if response.status // 100 == 1:  # the client knows 100 alone; behind another the true answer would be taken for the next request's
        raise http.client.BadStatusLine(str(response.status))
    if (response.length or 0) > max_answer:
        raise TooLong
    way.timed.allowed = max_answer
    body = b"".join(iter(partial(response.read1, _BLOCK), b""))
    if response.length:
        raise http.client.IncompleteRead(b"")
    open_ended = response.will_close or way.timed.has_more()
    response.close()  # which leaves the connection open; not each Python sees by itself that an answer was read to its end
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body), open_ended


def _server(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}"


def _why(error: Exception) -> str:
    """Say what went wrong, from what an error is and says about the connection; what it says about values may be secret."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case TooLong() | http.client.LineTooLong():
            return "what answers sends more than an answer has"
        case http.client.IncompleteRead():
            return "the answer breaks off"
        case OSError():
            return f"{type(error).__name__}: {error.strerror or error}"
        case http.client.HTTPException():
            return f"what answers does not speak HTTP as it should ({type(error).__name__})"
        case _:
            return type(error).__name__
