"""Whether an address is that of a proxy which a client of this process uses."""

from __future__ import annotations

from urllib.parse import urlsplit

from .._config.defaults import PROXY_URL


def remember_proxy(url: str) -> None:
    """Let `goes_through_proxy` know of the proxy at `url`."""
    _known.add(_address(url))


def goes_through_proxy(url: object) -> bool:
    """Tell whether `url`, text or a URL object, leads to the proxy of any client of this process. The proxy records model calls itself."""
    try:
        scheme, host, port, path = _address(str(url))
    except ValueError:
        return False
    return any((scheme, host, port) == known[:3] and f"{path}/".startswith(f"{known[3]}/") for known in tuple(_known))


_Address = tuple[str, str, "int | None", str]


def _address(url: str) -> _Address:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port, parts.path.rstrip("/")


_known: set[_Address] = {_address(PROXY_URL)}
