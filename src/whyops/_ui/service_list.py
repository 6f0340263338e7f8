"""The pages of the service's traces, as the list shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .._listing.query import Query
from .._service.reader import ServiceReader
from .._service.trace_list import RemoteTrace, Wanted, list_traces


def service_page(reader: ServiceReader, asked: Mapping[str, str], now: datetime) -> dict[str, object]:
    """Return a page of the account's traces. The service selects by agent, user and time alone; the cursor is how many came before.

    Raises:
        ServiceError: It can't be asked, or what answers is not the service.
    """
    query = Query.of(asked, now)
    given = asked.get("cursor", "")
    offset = int(given) if given.isascii() and given.isdigit() and len(given) < len(str(10**9)) else 0
    wanted = Wanted(query.selection.agent_name, query.selection.external_user_id, query.selection.since)
    with reader.questions() as questions:
        traces, total = list_traces(questions, wanted, limit=query.limit, offset=offset)
    end = offset + len(traces)
    return {
        "traces": [_row(trace) for trace in traces],
        "cursor": str(end) if traces and end < total else None,
        "lookedAt": len(traces),
        "total": total,
        "unreadBytes": 0,
        "change": "",
    }


def _row(trace: RemoteTrace) -> dict[str, object]:
    """Return a line. The service's list tells neither of calls, errors and tokens nor of what was asked."""
    started, active = trace.started_at, trace.active_at
    return {
        "id": trace.trace_id,
        "agent": trace.agent_name,
        "user": trace.external_user_id,
        "at": None if active is None else active // 1000,
        "ms": None if started is None or active is None else (active - started) / 1000,
        "events": trace.events,
    }
