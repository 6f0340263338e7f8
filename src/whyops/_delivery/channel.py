"""One kept connection to a server, and how a request gets there and back.

The standard library's client is used, not httpx: it costs a tenth of the imports, and those are made by a background thread, where a
library that others look for in `sys.modules` must not be imported. With a transport of the user's own, httpx is there already.
"""

from __future__ import annotations

import base64
import encodings.idna  # noqa: F401 - a look-up of a host loads it, and a fork at that moment would leave the child without it for good
import http.client
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from whyops._forks import is_child

from .outcome import Answer

if TYPE_CHECKING:
    import httpx

_CERTIFI = certifi.where()  # asked for here, since it imports more, and a fork while a thread does that is trouble; httpx requires it
KEEP_SECONDS = 3.0
MAX_ANSWER_BYTES = 16_000_000
_STALE = (ConnectionError, http.client.BadStatusLine)


class Unreachable(Exception):
    """No whole answer came. The text says why, and holds nothing secret."""


class Channel(Protocol):
    """Posts a body to a URL."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            Unreachable: none came within `timeout` seconds, or none at all.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class KeptConnection:
    """A channel on `http.client`: one connection, to the server that was asked last. It goes through the proxies of the environment."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None
        self._server = ""
        self._tells_proxy: dict[str, str] | None = None
        self._used_at = 0.0
        self._monotonic = time.monotonic
        self._context: ssl.SSLContext | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Answer:
        """Return the answer; a kept connection that proves dead is replaced once."""
        deadline = self._monotonic() + timeout
        try:
            parts = urlsplit(url)
            kept = self._kept(parts)
            if kept is not None:
                try:
                    return self._exchange(kept, parts, headers, body, deadline)
                except _STALE:
                    self.close()
            return self._exchange(self._connect(parts, timeout), parts, headers, body, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(_why(error)) from None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _kept(self, parts: SplitResult) -> http.client.HTTPConnection | None:
        """Return the connection, if it goes there and was used just now."""
        fresh = self._monotonic() - self._used_at < KEEP_SECONDS
        if self._connection is not None and not (fresh and self._server == _server(parts)):
            self.close()
        return self._connection

    def _exchange(
        self, connection: http.client.HTTPConnection, parts: SplitResult, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> Answer:
        self._limit(connection, deadline)
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        if self._tells_proxy is not None:
            target = f"{parts.scheme}://{parts.netloc}{target}"
            headers = {**headers, **self._tells_proxy}
        connection.request("POST", target, body, dict(headers))
        response = connection.getresponse()
        content = self._read(connection, response, deadline)
        response.close()  # which leaves the connection open; not each Python sees by itself that an answer was read to its end
        self._used_at = self._monotonic()
        if response.will_close:
            self.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _read(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float) -> bytes:
        content = b""
        while block := response.read1(1 << 16):
            content += block
            if len(content) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException("the answer is too long")
            self._limit(connection, deadline)
        return content

    def _limit(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        remaining = deadline - self._monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        connection.timeout = remaining
        if connection.sock is not None:
            connection.sock.settimeout(remaining)

    def _connect(self, parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the base URL is not one")
        proxy = urlsplit(_proxy(parts))
        near = proxy if proxy.hostname else parts
        host = near.hostname or ""
        self._tells_proxy = _proxy_headers(proxy) if proxy.hostname and parts.scheme == "http" else None
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, near.port, timeout=timeout, context=self._tls())
            if proxy.hostname:
                connection.set_tunnel(parts.hostname, parts.port, _proxy_headers(proxy))
        else:
            connection = http.client.HTTPConnection(host, near.port, timeout=timeout)
        self._connection, self._server = connection, _server(parts)
        return connection

    def _tls(self) -> ssl.SSLContext:
        """Return a context that trusts what the system trusts, and what certifi does: some systems have no list."""
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.load_verify_locations(_CERTIFI)
        return self._context


class OwnTransport:
    """A channel through an `httpx` transport that the user has made."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport
        if is_child():  # the connections in its pool are the parent's; closing ours leaves those alone
            transport.close()

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Answer:
        """Return the answer. The transport is called directly, so httpx logs nothing about it."""
        import httpx  # noqa: PLC0415 - whoever made the transport has imported it

        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        try:
            request = httpx.Request("POST", url, headers=dict(headers), content=body, extensions={"timeout": limits})
            response = self._transport.handle_request(request)
            try:
                content = response.read()
            finally:
                response.close()
        except httpx.TimeoutException:
            raise Unreachable("no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise Unreachable(_why(error)) from None
        return Answer(response.status_code, dict(response.headers), content)

    def close(self) -> None:
        """Leave the transport open: it is its maker's."""


def _server(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}"


def _proxy(parts: SplitResult) -> str:
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not url or proxy_bypass(parts.hostname or ""):
        return ""
    return url if "://" in url else f"http://{url}"


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _why(error: Exception) -> str:
    """Say what went wrong, from what an error is and says about the connection; what it says about values may be secret."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return f"{type(error).__name__}: {error.strerror or error}"
    return type(error).__name__
