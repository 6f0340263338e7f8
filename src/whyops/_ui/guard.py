"""Who may ask: whoever has the token, from a page of ours, on this machine. Pure.

The token is part of the address and stays there, and the page's script sends it with each request. It is no cookie: a browser sends a
host's cookies to all ports of it, so that every other server on this machine would be handed ours, and two of these would overwrite each
other's. A page of another origin can't add the header that carries it without asking first, and is refused.

A browser that is made to look up a name anew, until that means this machine (rebinding), still sends the name as `Host`. Through an SSH
tunnel that is `localhost` with a port of its own, so any port will do.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence

TOKEN_HEADER = "X-Whyops-Token"  # noqa: S105  (the name of a header)
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)

Headers = Mapping[str, Sequence[str]]
"""Names in lower case, each with its values."""


def may_ask(method: str, headers: Headers, token: str, given: str, *, opens_page: bool) -> bool:
    """Tell whether a request is answered at all. `given` is the token in the address.

    `opens_page`: this is the address that a person opens, which may be linked from anywhere. What changes something needs the token in
    the header, and an origin.
    """
    changes = method != "GET"
    said = headers.get(TOKEN_HEADER.lower(), ())
    offered = said[0] if len(said) == 1 else "" if changes or said else given
    return (
        _is_ours(headers, needs_origin=changes)
        and (_is_from_ours(headers) or (opens_page and _is_opened(headers)))
        and hmac.compare_digest(offered.encode("utf-8", "surrogateescape"), token.encode())
    )


def _is_ours(headers: Headers, *, needs_origin: bool) -> bool:
    """Tell whether host and origin are this machine's, and the same."""
    hosts, origins = headers.get("host", ()), headers.get("origin", ())
    if len(hosts) != 1 or _LOOPBACK.fullmatch(hosts[0]) is None:
        return False
    if not origins:
        return not needs_origin
    return len(origins) == 1 and origins[0].lower() == f"http://{hosts[0]}".lower()


def _is_from_ours(headers: Headers) -> bool:
    """Tell whether a browser says that a page of the same origin asks, or the person; older browsers say nothing."""
    return all(site in {"same-origin", "none"} for site in headers.get("sec-fetch-site", ()))


def _is_opened(headers: Headers) -> bool:
    """Tell whether a browser opens the address in a tab of its own."""
    return list(headers.get("sec-fetch-mode", ())) == ["navigate"] and list(headers.get("sec-fetch-dest", ())) == ["document"]
