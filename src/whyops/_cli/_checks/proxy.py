"""The check of the proxy's address: whether it is the proxy that answers there."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from ..._config.settings import Settings
from ..._printable import shortened
from ..._render.terminal.doctor_table import Finding
from ..._service.reader import ServiceReader
from ...errors import ServiceError

PROXY = "whyops-proxy"
_MOST_OF_A_NAME = 60
_REMEDY = "Check WHYOPS_PROXY_BASE_URL: for the hosted service it is https://proxy.whyops.com."


def check_proxy(settings: Settings) -> Finding:
    """Ask what answers at the proxy's address for its name."""
    url = settings.proxy_base_url or ""
    if urlsplit(url).path.rstrip("/").endswith("/v1"):
        return Finding("bad", "proxy", f"{url} ends in /v1", "Leave /v1 out of WHYOPS_PROXY_BASE_URL: it is added where it belongs.")
    try:
        reply = ServiceReader(url, settings.api_key or "", settings.transport).ask("/health")
    except ServiceError as error:
        return Finding("warn", "proxy", str(error), "Only model calls through sdk.openai(…) and the like need it: WHYOPS_PROXY_BASE_URL.")
    name = reply.body.get("service") if reply.status == HTTPStatus.OK else None
    if name == PROXY:
        return Finding("good", "proxy", f"{url} answers, as {PROXY}")
    if isinstance(name, str):
        return Finding("warn", "proxy", f"{url} is no WhyOps proxy: {shortened(name, _MOST_OF_A_NAME)!r} answers there", _REMEDY)
    if reply.status == HTTPStatus.OK and reply.body.get("status") == "healthy":
        return Finding("note", "proxy", f"{url} answers, and does not say that it is a WhyOps proxy", _REMEDY)
    return Finding("warn", "proxy", f"{url} is not a WhyOps proxy (it answered {reply.status}: {reply.came})", _REMEDY)
