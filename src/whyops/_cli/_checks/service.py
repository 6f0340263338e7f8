"""Checks of the key, both addresses, the clock, and the share of the traces that the service keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from ..._config.settings import Settings
from ..._render.terminal.doctor_table import Finding
from ..._service.account import look_up
from ..._service.questions import Reply
from ..._service.reader import ServiceReader
from ...errors import ServiceError

MOST_SKEW_SECONDS = 60.0
_KEY_PREFIXES = ("whyops_", "YOPS-")


def check_service(settings: Settings, now: float) -> Iterator[Finding]:
    """Send the service and the proxy a request each that changes nothing. `now` is this machine's time, in seconds since 1970."""
    if settings.api_key is None:
        yield Finding("note", "key", "not set: runs are recorded in the local store", "To use the service, set WHYOPS_API_KEY.")
        return
    if not settings.api_key.startswith(_KEY_PREFIXES):
        yield Finding("bad", "key", "does not look like a WhyOps key", "Keys begin with whyops_ or YOPS-: check what was set.")
    reader = ServiceReader(settings.analyse_base_url or "", settings.api_key, settings.transport)
    try:
        reply = reader.ask("/events", {"traceId": "whyops-doctor", "limit": 1})
    except ServiceError as error:
        yield Finding("bad", "events", str(error), "Check WHYOPS_ANALYSE_BASE_URL, the network, and HTTPS_PROXY if there is one.")
    else:
        yield from _reply(reply, reader.analyse_url)
        yield from _clock(reply, now)
        if _is_list(reply):
            yield _sampling(reader, settings.agent_name)
    yield _proxy(settings, settings.proxy_base_url or "")


def _reply(reply: Reply, url: str) -> Iterator[Finding]:
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        yield Finding("good", "events", f"{url} answers")
        yield Finding(
            "bad",
            "key",
            f"rejected by the service ({reply.status})",
            "Unknown, expired and revoked keys, and those of inactive projects, all get this answer: check the key in the dashboard.",
        )
    elif _is_list(reply):
        yield Finding("good", "events", f"{url} answers")
        yield Finding("good", "key", "accepted by the service")
    else:
        yield Finding(
            "bad",
            "events",
            f"{url} is not a WhyOps service (it answered {reply.status}: {reply.came})",
            "Check WHYOPS_ANALYSE_BASE_URL: for the hosted service it is https://a.whyops.com/api, with the /api.",
        )


def _is_list(reply: Reply) -> bool:
    return reply.status == HTTPStatus.OK and isinstance(reply.body.get("events"), list)


def _clock(reply: Reply, now: float) -> Iterator[Finding]:
    try:
        server_time = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError, TypeError):
        return
    skew = now - (server_time if server_time.tzinfo else server_time.replace(tzinfo=timezone.utc)).timestamp()
    if abs(skew) <= MOST_SKEW_SECONDS:
        yield Finding("good", "clock", "agrees with the service's")
        return
    here = datetime.fromtimestamp(now, timezone.utc)
    yield Finding(
        "warn",
        "clock",
        f"{abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} the service's (local time is {here:%H:%M:%S} UTC)",
        "Events are sorted by time: set the clock, or traces that span several machines are shown out of order.",
    )


def _sampling(reader: ServiceReader, name: str | None) -> Finding:
    if name is None:
        return Finding("note", "sampling", "unknown: WHYOPS_AGENT_NAME is not set")
    try:
        with reader.questions() as questions:
            agent = look_up(questions, name).agent
    except ServiceError as error:
        return Finding("note", "sampling", f"could not look up the sampling rate of {name}", str(error))
    if agent is None:
        return Finding(
            "note",
            "sampling",
            f"the service has no agent {name!r}",
            "Its first event creates it; by default one trace in five is kept.",
        )
    if agent.sampling_rate is None:
        return Finding("note", "sampling", f"the service does not report the sampling rate of {name}")
    if agent.sampling_rate >= 1:
        return Finding("good", "sampling", f"the service keeps all traces of {name}")
    return Finding(
        "warn",
        "sampling",
        f"the service keeps {agent.sampling_rate:.0%} of the traces of {name}, and drops the others",
        "The trace's id decides which, so sending again does not help. To keep all, change the agent's settings in the dashboard, or send "
        f'PATCH {reader.analyse_url}/entities/{agent.agent_id}/sampling-rate and {{"samplingRate": 1}}. WHYOPS_KEEP_LOCAL=1 keeps a '
        "local copy of each trace.",
    )


def _proxy(settings: Settings, url: str) -> Finding:
    if urlsplit(url).path.rstrip("/").endswith("/v1"):
        return Finding("bad", "proxy", f"{url} ends in /v1", "Leave /v1 out of WHYOPS_PROXY_BASE_URL: it is added where it belongs.")
    try:
        reply = ServiceReader(url, settings.api_key or "", settings.transport).ask("/health")
    except ServiceError as error:
        return Finding("warn", "proxy", str(error), "Only model calls through sdk.openai(…) and the like need it: WHYOPS_PROXY_BASE_URL.")
    if reply.status == HTTPStatus.OK and (reply.body.get("status") == "healthy" or reply.body.get("service") == "whyops-proxy"):
        return Finding("good", "proxy", f"{url} answers")
    return Finding(
        "warn",
        "proxy",
        f"{url} is not a WhyOps proxy (it answered {reply.status}: {reply.came})",
        "Check WHYOPS_PROXY_BASE_URL: for the hosted service it is https://proxy.whyops.com.",
    )
