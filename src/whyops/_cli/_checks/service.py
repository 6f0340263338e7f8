"""Checks of the service's address, the key, the service's database, and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ..._config.settings import Settings
from ..._printable import shortened
from ..._render.terminal.doctor_table import Finding
from ..._service.questions import CONNECTED, DISCONNECTED, REFUSED, Questions, Reply
from ..._service.reader import ServiceReader
from ...errors import ServiceError
from .agent import check_agent
from .proxy import check_proxy

MOST_SKEW_SECONDS = 60.0
_KEY_PREFIXES = ("whyops_", "YOPS-")
_KEY_REMEDY = "Unknown, expired and revoked keys, and those of inactive projects, all get this answer: check the key in the dashboard."


def check_service(settings: Settings, now: float) -> Iterator[Finding]:
    """Send the service and the proxy a request each that changes nothing. `now` is this machine's time, in seconds since 1970."""
    if settings.api_key is None:
        yield Finding("note", "key", "not set: runs are recorded in the local store", "To use the service, set WHYOPS_API_KEY.")
        return
    if not settings.api_key.startswith(_KEY_PREFIXES):
        yield Finding("bad", "key", "does not look like a WhyOps key", "Keys begin with whyops_ or YOPS-: check what was set.")
    reader = ServiceReader(settings.analyse_base_url or "", settings.api_key, settings.transport)
    with reader.questions() as questions:
        yield from _check_address(questions, settings.agent_name, now)
    yield check_proxy(settings)


def _check_address(questions: Questions, agent_name: str | None, now: float) -> Iterator[Finding]:
    try:
        reply = questions.reply("/events", {"traceId": "whyops-doctor", "limit": 1})
    except ServiceError as error:
        yield Finding("bad", "events", str(error), "Check WHYOPS_ANALYSE_BASE_URL, the network, and HTTPS_PROXY if there is one.")
        return
    is_refused = reply.status in REFUSED
    if not is_refused and not _is_list(reply):
        remedy = "Check WHYOPS_ANALYSE_BASE_URL: for the hosted service it is https://a.whyops.com/api, with the /api."
        told = f"{questions.url} is not a WhyOps service (it answered {reply.status}: {reply.came})"
        yield Finding("bad", "events", told, remedy)
    else:
        yield Finding("good", "events", f"{questions.url} answers")
        yield from _key_and_database(questions.database(), reply.status, is_refused=is_refused)
    yield from _clock(reply, now)
    if _is_list(reply):
        yield from check_agent(questions, agent_name)


def _key_and_database(database: str, status: int, *, is_refused: bool) -> Iterator[Finding]:
    """Tell whether the key is good: without its database the service refuses each."""
    if database == DISCONNECTED:
        yield Finding("bad", "database", "the service can't reach its database", "Events wait meanwhile: nothing is to be done here.")
    elif database:
        yield Finding("good" if database == CONNECTED else "note", "database", f"the service's is {shortened(database, 60)}")
    if not is_refused:
        yield Finding("good", "key", "accepted by the service")
    elif database == DISCONNECTED:
        yield Finding("note", "key", f"can't be looked up while the service's database is away ({status})", "Try again later.")
    else:
        yield Finding("bad", "key", f"rejected by the service ({status})", _KEY_REMEDY)


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
