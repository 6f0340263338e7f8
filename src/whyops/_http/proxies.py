"""The proxy to go through. One set of rules, for all that is sent and asked.

- `HTTP_PROXY` is for addresses that begin with http://, `HTTPS_PROXY` for https://, and `ALL_PROXY` for whichever has none of its own. As
  with urllib, httpx and requests, a name in small letters goes before one in capitals, also where it is empty: `https_proxy=` switches
  `HTTPS_PROXY` off. Where the environment names none of them and no `NO_PROXY`, the settings of macOS and Windows count.
- In a CGI program (`REQUEST_METHOD` is set) `HTTP_PROXY` doesn't count, `http_proxy` does: there a visitor's header can set the former.
- A proxy is `http://NAME:PASSWORD@HOST:PORT`; all but the host may be left out, and what is special in name and password is
  percent-encoded. It is asked for an http:// address with the whole address, and for an https:// one to connect (CONNECT).
- A proxy that begins otherwise (https://, socks5://) is refused by name before anything is sent. Nothing goes round it.
- `NO_PROXY` lists what is asked straight, with commas or spaces between: `*` for all; a name, with or without a dot before it, for itself
  and all below it; an address; a network (10.0.0.0/8, fd00::/8). A name or an address may have a port, and is then for that alone; with
  one, an IPv6 address stands in brackets.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from .._printable import shortened
from .channel import Unreachable

_USUAL_PORT = 80
_MAX_NAME = 80
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):/", re.IGNORECASE)
_WITH_PORT = re.compile(r"(\[[^\]]*\]|[^:]*):(\d*)")


class Proxy(NamedTuple):
    """A proxy that speaks HTTP. `headers` tell it who asks, and are for it alone."""

    host: str
    port: int
    headers: dict[str, str]

    def __str__(self) -> str:
        host = shortened(self.host, _MAX_NAME)
        return f"the proxy [{host}]:{self.port}" if ":" in host else f"the proxy {host}:{self.port}"

    def refusal(self, status: int) -> Unreachable:
        """Return what there is to say where the proxy itself has answered, and would not pass on what was asked."""
        wants = (
            ", which wants another name and password, as in http://NAME:PASSWORD@HOST:PORT"
            if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
            else ""
        )
        return Unreachable(f"{self} answers {status}{wants}")


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy to go through to a server, or None where it is asked straight.

    Raises:
        Unreachable: it is one that is not spoken here. Nothing was sent.
    """
    given = getproxies_environment()
    proxies = given or getproxies()
    name = scheme if proxies.get(scheme) else "all"
    url = (proxies.get(name) or "").strip()
    if not url or (_is_exempt(host, port, given.get("no", "")) if given else proxy_bypass(host)):
        return None
    try:
        return _parsed(url)
    except ValueError as error:
        where = f"{name.upper()}_PROXY names" if given else "the system's settings name"
        raise Unreachable(
            f"{where} {error}, and only a proxy as http://HOST:PORT can be used: name such a one, or exempt the service with NO_PROXY"
        ) from None


def _parsed(url: str) -> Proxy:
    """Read a proxy's address.

    Raises:
        ValueError: with a noun for what it is instead.
    """
    scheme = _SCHEME.match(url)
    if scheme is not None and scheme[1].lower() != "http":
        raise ValueError(f"a proxy that begins with {shortened(scheme[1].lower(), _MAX_NAME)}://")
    with suppress(ValueError):
        parts = urlsplit(url if scheme else f"http://{url}")
        if parts.hostname and (scheme or "://" not in url):
            return Proxy(parts.hostname, parts.port or _USUAL_PORT, _credentials(parts))
    raise ValueError("something that is no address")


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


# --- what is asked straight --------------------------------------------------------------------------


def _is_exempt(host: str, port: int, exempt: str) -> bool:
    host = host.lower().rstrip(".")
    return any(_covers(entry, host, port) for entry in exempt.lower().replace(",", " ").split())


def _covers(entry: str, host: str, port: int) -> bool:
    """Tell whether an entry of `NO_PROXY` is for this server. One that can't be read is for none."""
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        with suppress(ValueError):
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        return False
    with_port = _WITH_PORT.fullmatch(entry)
    name, its_port = with_port.groups() if with_port else (entry, "")
    if its_port not in {"", str(port)}:
        return False
    name = name.strip("[]")
    if address is not None:
        return address == _address(name)
    name = name.removeprefix("*").strip(".")
    return bool(name) and f".{host}".endswith(f".{name}")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(name)
    return None
