"""The account's traces at the service, as a list shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._wire.recorded_time import microseconds
from .._wire.values import as_text
from .questions import Questions, has_more, total_in

PAGE = 100
_MOST_PAGES = 1000


@dataclass(frozen=True)
class Wanted:
    """Which traces are wanted; what is left out selects all. Times are ISO 8601 in UTC, and are those of a trace's last event."""

    agent_name: str | None = None
    external_user_id: str | None = None
    since: str | None = None
    until: str | None = None

    def query(self) -> dict[str, str]:
        """Return the selection as the service is asked for it."""
        asked = {
            "agentName": self.agent_name,
            "externalUserId": self.external_user_id,
            "startDate": self.since,
            "endDate": self.until,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True)
class RemoteTrace:
    """What the service's list tells of a trace. Times are in microseconds since 1970."""

    trace_id: str
    agent_name: str | None
    external_user_id: str | None
    started_at: int | None
    active_at: int | None
    events: int


def list_traces(questions: Questions, wanted: Wanted, *, limit: int | None, offset: int = 0) -> tuple[list[RemoteTrace], int]:
    """Return the wanted traces, the one that was active last first, and how many there are in all; without a limit all of them.

    Raises:
        ServiceError: It can't be asked, or what answers is not the service.
    """
    first = offset // PAGE
    found: dict[str, RemoteTrace] = {}
    total = 0
    for page in range(first + 1, _MOST_PAGES):
        reply = questions.told("/threads", {**wanted.query(), "count": PAGE, "page": page}, large=True)
        found.update((one.trace_id, one) for one in map(_trace, questions.listed(reply, "threads")))
        total = total_in(reply) or first * PAGE + len(found)
        if not has_more(reply.body) or (limit is not None and first * PAGE + len(found) >= offset + limit):
            break
    begin = offset - first * PAGE
    return list(found.values())[begin : None if limit is None else begin + limit], total


def _trace(told: Mapping[str, object]) -> RemoteTrace:
    events = told.get("eventCount")
    active_at = microseconds(told.get("lastEventTimestamp"))
    return RemoteTrace(
        trace_id=str(told.get("threadId")),
        agent_name=as_text(told.get("entityName")),
        external_user_id=as_text(told.get("externalUserId")),
        started_at=microseconds(told.get("firstEventTimestamp")),
        active_at=microseconds(told.get("lastActivity")) if active_at is None else active_at,
        events=events if isinstance(events, int) else 0,
    )
