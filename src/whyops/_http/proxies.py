"""The proxies that the environment, or the system, names."""

from __future__ import annotations

import base64
from contextlib import suppress
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
    if not url or proxy_bypass(host) or proxy_bypass(f"{host}:{port}") or _is_in_network(host, proxies.get("no", "")):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme == "http" and parts.hostname:
            return Proxy(parts.hostname, parts.port or _USUAL_PORT, _credentials(parts))
        told = f"a proxy that begins with {parts.scheme}://"
    except ValueError:
        told = "something that is no address"
    raise Unreachable(
        f"{name.upper()}_PROXY names {told}, and only one that begins with http:// can be used: name such a one, or exempt the service "
        "with NO_PROXY"
    )


def _is_in_network(host: str, exempt: str) -> bool:
    """Tell whether a host is an address in one of the networks (10.0.0.0/8) among the exempt names."""
    networks = [name.strip() for name in exempt.split(",") if "/" in name]
    if not networks:
        return False
    import ipaddress  # noqa: PLC0415 - few name networks

    with suppress(ValueError):  # a name is in no network, and nothing is in what is none
        address = ipaddress.ip_address(host)
        return any(address in ipaddress.ip_network(network, strict=False) for network in networks)
    return False


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
