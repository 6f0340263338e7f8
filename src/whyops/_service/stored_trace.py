"""A trace as the service has it: all of its events, in order, with the names and the prompt that it keeps beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from .._trace.order import in_order
from .._wire.lifted import event_of_trace, with_prompt
from .._wire.read import RecordedEvent
from .._wire.values import as_text
from ..errors import ServiceError
from .agents import NOT_GIVEN
from .questions import Query, Questions, Reply, total_in

PAGE = 200
PASSES = 3
THREAD_PAGE = 1000
_MOST_PAGES = 500

Event = Mapping[str, object]


@dataclass(frozen=True)
class StoredTrace:
    """The events of a trace, in order; `unread` more are there, and were not shown."""

    events: tuple[Event, ...]
    unread: int = 0


def read_trace(questions: Questions, trace_id: str) -> StoredTrace:
    """Return a trace; without events, for an id of which the service says that it has none.

    Pages of the list of events overlap, where several events have the same millisecond: it is read again until all have been seen. What
    is missing then is taken from the trace's own page, whose metadata may be reduced.

    Raises:
        ServiceError: It can't be asked, or what answers is not the service.
    """
    found: dict[str, Event] = {}
    total = 0
    for _ in range(PASSES):
        total = _read_pages(questions, trace_id, found)
        if len(found) >= total:
            break
    if not found:
        return StoredTrace(())
    with suppress(ServiceError):  # the events are there: it would be worse to show none
        for offset in range(0, total if len(found) < total else 0, THREAD_PAGE):
            query: Query = {"eventInclude": "content,metadata", "eventLimit": THREAD_PAGE, "eventOffset": offset}
            reply = questions.told(_thread(trace_id), query, large=True)
            for event in _events_in(questions, reply, trace_id):
                found.setdefault(_identity(event), event)
    return StoredTrace(_with_names(questions, trace_id, found.values()), max(total - len(found), 0))


def _read_pages(questions: Questions, trace_id: str, found: dict[str, Event]) -> int:
    """Add the events that are not among those found yet, page by page. Return how many there are at the service."""
    for page in range(1, _MOST_PAGES):
        reply = questions.told("/events", _page_of(trace_id, page), large=True)
        events = _events_in(questions, reply, trace_id)
        known, total = len(found), total_in(reply)
        for event in events:
            found.setdefault(_identity(event), event)
        if total is None and (len(found) == known or len(events) < PAGE):
            return len(found)
        if total is not None and (len(found) >= total or page * PAGE >= total):
            return total
    return len(found)


def _page_of(trace_id: str, page: int) -> Query:
    """Ask for a page in both ways that the service has had."""
    return {"traceId": trace_id, "include": "content,metadata", "limit": PAGE, "page": page, "offset": (page - 1) * PAGE}


def _thread(trace_id: str) -> str:
    return f"/threads/{quote(trace_id, safe='')}"


def _events_in(questions: Questions, reply: Reply, trace_id: str) -> list[Event]:
    listed = questions.listed(reply, "events")
    events: list[Event] = [event for given in listed if (event := event_of_trace(given, trace_id)) is not None]
    if len(events) < len(listed):
        raise questions.no_answer(reply, ", with what is no event of this trace")
    return events


def _identity(event: Event) -> str:
    """Return what tells an event from all others: its id, or without one all that it says."""
    return str(event.get("id") or json.dumps(event, sort_keys=True))


def _with_names(questions: Questions, trace_id: str, events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events in order, as they were recorded: with agent, user and system prompt, which the service keeps once for a trace."""
    thread: Mapping[str, object] = {}
    with suppress(ServiceError):
        thread = questions.told(_thread(trace_id), {"include": "systemPrompt", "eventLimit": 1}).body
    given = {"agentName": as_text(thread.get("entityName")), "externalUserId": as_text(thread.get("externalUserId"))}
    names = {name: value for name, value in given.items() if value}
    ordered = in_order([RecordedEvent({**names, **event}) for event in events])
    prompt = as_text(thread.get("systemPrompt"))
    return tuple(with_prompt(ordered, prompt) if prompt and prompt != NOT_GIVEN else (event.raw for event in ordered))
