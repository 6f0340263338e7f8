"""The key, both addresses, the clock, and the share of the traces that the service keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from ..._config.settings import Settings
from ..._render.terminal.doctor_table import Finding
from ..._service.reader import Reply, ServiceReader
from ...errors import ServiceError

MOST_SKEW_SECONDS = 60.0
_KEY_BEGINNINGS = ("whyops_", "YOPS-")
_OFFICIAL = "proxy.whyops.com"


def check_service(settings: Settings, now: float) -> Iterator[Finding]:
    """Ask the service a harmless question, and the proxy whether it is well. `now` is this machine's time, in seconds since 1970."""
    key, analyse, proxy = settings.api_key, settings.analyse_base_url or "", settings.proxy_base_url or ""
    if key is None:
        yield Finding("note", "key", "none is set: runs are recorded in the local store", "For the service, set WHYOPS_API_KEY.")
        return
    if not key.startswith(_KEY_BEGINNINGS):
        yield Finding("bad", "key", "it does not begin as a WhyOps key does", "Keys begin with whyops_ or YOPS-: look for a mix-up.")
    reader = ServiceReader(analyse, key, settings.transport)
    try:
        reply = reader.ask("/events", {"traceId": "whyops-doctor", "limit": 1})
    except ServiceError as error:
        yield Finding("bad", "events", str(error), "Check WHYOPS_ANALYSE_BASE_URL, the network, and HTTPS_PROXY if there is one.")
    else:
        yield from _answered(reply, analyse)
        yield from _clock(reply, now)
        if _is_list(reply):
            yield _agent(reader, settings.agent_name)
    yield from _proxy(settings, proxy)


def _answered(reply: Reply, url: str) -> Iterator[Finding]:
    if _is_list(reply):
        yield Finding("good", "events", f"{url} answers")
        yield Finding("good", "key", "the service takes it")
    elif reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        yield Finding("good", "events", f"{url} answers")
        remedy = "It says the same of unknown, expired and revoked keys, and of inactive projects: look at the key in the dashboard."
        yield Finding("bad", "key", f"the service refuses it ({reply.status})", remedy)
    else:
        remedy = "Check WHYOPS_ANALYSE_BASE_URL: for the hosted service it is https://a.whyops.com/api, with the /api."
        yield Finding("bad", "events", f"what answers at {url} is not the service's ({reply.status}: {reply.came})", remedy)


def _is_list(reply: Reply) -> bool:
    return reply.status == HTTPStatus.OK and isinstance(reply.body.get("events"), list)


def _clock(reply: Reply, now: float) -> Iterator[Finding]:
    told = reply.headers.get("date")
    if told is None:
        return
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return
    skew = now - (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    if abs(skew) <= MOST_SKEW_SECONDS:
        yield Finding("good", "clock", "it goes right")
        return
    here = datetime.fromtimestamp(now, timezone.utc)
    what = f"it is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} the service's (here it is {here:%H:%M:%S} UTC)"
    remedy = "Events are sorted by their times: set the clock, or traces of several machines are shown out of order."
    yield Finding("warn", "clock", what, remedy)


def _agent(reader: ServiceReader, name: str | None) -> Finding:
    if name is None:
        return Finding("note", "sampling", "WHYOPS_AGENT_NAME is not set, so nobody's share can be looked up")
    try:
        agent = reader.agent(name)
    except ServiceError as error:
        return Finding("note", "sampling", f"the share of {name}'s traces that is kept could not be looked up", str(error))
    if agent is None:
        return Finding(
            "note", "sampling", f"the service knows no agent {name!r}", "Its first event makes it: by default one trace in five is kept."
        )
    if agent.sampling_rate is None:
        return Finding("note", "sampling", f"the service does not tell which share of {name}'s traces it keeps")
    if agent.sampling_rate >= 1:
        return Finding("good", "sampling", f"all of {name}'s traces are kept")
    remedy = (
        "Which ones is decided by their ids, so sending again does not help. In the agent's settings in the dashboard, or with PATCH "
        f'{reader.analyse_url}/entities/{agent.agent_id}/sampling-rate and {{"samplingRate": 1}}, all are kept. '
        "WHYOPS_KEEP_LOCAL=1 keeps a copy of each here."
    )
    return Finding("warn", "sampling", f"the service keeps {agent.sampling_rate:.0%} of {name}'s traces, and leaves the others out", remedy)


def _proxy(settings: Settings, url: str) -> Iterator[Finding]:
    if urlsplit(url).path.rstrip("/").endswith("/v1"):
        yield Finding("bad", "proxy", f"{url} ends in /v1", "Leave /v1 out of WHYOPS_PROXY_BASE_URL: it is added where it belongs.")
        return
    try:
        reply = ServiceReader(url, settings.api_key or "", settings.transport).ask("/health")
    except ServiceError as error:
        yield Finding(
            "warn",
            "proxy",
            str(error),
            "Only model calls through sdk.openai(…) and the like need it: WHYOPS_PROXY_BASE_URL.",
        )
        return
    if reply.status == HTTPStatus.OK and (reply.body.get("status") == "healthy" or reply.body.get("service") == "whyops-proxy"):
        yield Finding("good", "proxy", f"{url} answers")
    else:
        remedy = f"Check WHYOPS_PROXY_BASE_URL: for the hosted service it is https://{_OFFICIAL}."
        yield Finding("warn", "proxy", f"what answers at {url} does not look like the proxy ({reply.status}: {reply.came})", remedy)
