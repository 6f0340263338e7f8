"""The proxies that the environment, or the system, names."""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from .channel import Unreachable

__all__ = ["Proxy", "proxy_for"]

_USUAL_PORT = 80


class Proxy(NamedTuple):
    """A proxy that speaks HTTP. `headers` tell it who asks, and are for it alone."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy to go through, or None where there is none, or the host is exempt (`NO_PROXY`, with a port or without).

    Raises:
        Unreachable: it is one that is not spoken here. Nothing was sent.
    """
    proxies = getproxies()
    name = scheme if proxies.get(scheme) else "all"
    url = proxies.get(name)
    if not url or proxy_bypass(host) or proxy_bypass(f"{host}:{port}"):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        proxy_host = parts.hostname if parts.scheme == "http" else None
        proxy_port = parts.port or _USUAL_PORT
    except ValueError:
        proxy_host = None
    if not proxy_host:
        raise Unreachable(
            f"the proxy that {name.upper()}_PROXY names is none that begins with http://, and no other kind is spoken here; "
            "name one that does, or exempt the service with NO_PROXY"
        )
    return Proxy(proxy_host, proxy_port, _credentials(parts))


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
