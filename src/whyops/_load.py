"""A trace's id → the trace, from wherever its events are: the local store, lines that wait, lines set aside, the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from . import _client, _settings
from ._capture.ids import safe_id
from ._delivery.survey import parked_events, survey, waiting_lines
from ._store.merge import merged
from ._store.reader import StoreReader
from ._store.remote import ServiceReader
from ._store.row import decode
from ._views.recorded import Elsewhere, RecordedTrace
from .errors import ServiceError, TraceNotFoundError

__all__ = ["find_trace", "load_trace"]

FLUSH_SECONDS = 5.0

Event = dict[str, object]


def load_trace(id: str) -> RecordedTrace:  # noqa: A002  (the name that users write)
    """Return a recorded trace as objects: its events, the decision path that they make up, calls, totals.

    `id` is the trace's id, as it was given or as it is recorded, as much of the beginning as no other local trace has, or `last`. It is
    looked for in the local store and among the events that wait; with a key, at the service too. What the default client has recorded is
    delivered first, if that is quick.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    client = _client.existing_default()
    if client is None:
        settings = _settings.given().completed()
    else:
        client.flush_sync(FLUSH_SECONDS)
        settings = client._assembled().settings  # noqa: SLF001  (what the client was told is nobody else's business)
    service = None
    if settings.api_key is not None and not settings.disabled:
        service = ServiceReader(settings.analyse_base_url or "", settings.api_key, settings.transport)
    return find_trace(id, _settings.home_directory(settings.home), service)


def find_trace(wanted: str, home: Path, service: ServiceReader | None) -> RecordedTrace:
    """Return the trace that is meant, with what is known of its events that are not to be had.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    waiting = [event for line in waiting_lines(home) if (event := decode(line)) is not None]
    trace_id = _resolved(wanted, home, waiting, may_be_elsewhere=service is not None)
    still_waiting = [event for event in waiting if event.get("traceId") == trace_id]
    parked = [(event, reason) for event, reason in _parked(home) if event.get("traceId") == trace_id]
    here = [*StoreReader(home).events(trace_id), *still_waiting, *(event for event, _ in parked)]
    there, trouble = _asked(service, trace_id, may_fail=bool(here))
    if not here and not there:
        raise TraceNotFoundError(f"No trace {trace_id!r} is here, nor does the service know one.")
    events, missing_there = merged(here, there or ())
    elsewhere = Elsewhere(
        waiting=len(still_waiting),
        parked=dict(Counter(reason for _, reason in parked)),
        left_out=0 if there is None else max(missing_there - len(still_waiting) - len(parked), 0),
        dropped=_dropped(home, {event.get("agentName") for event in events}),
        not_asked=trouble,
    )
    return RecordedTrace.from_events(events, trace_id, elsewhere)


def _resolved(wanted: str, home: Path, waiting: Iterable[Event], *, may_be_elsewhere: bool) -> str:
    """Return the id of the trace in the local store that is meant, else of one that waits, else what is to be asked for elsewhere."""
    try:
        return StoreReader(home).resolve(wanted)
    except TraceNotFoundError:
        recorded = safe_id(wanted)
        if recorded != wanted:
            with suppress(TraceNotFoundError):
                return StoreReader(home).resolve(recorded)
        ids = list(dict.fromkeys(str(event.get("traceId")) for event in waiting))
        found = ids[-1:] if wanted == "last" else [one for one in ids if one == recorded] or [one for one in ids if one.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        if found or not may_be_elsewhere or wanted == "last":
            raise
        return recorded


def _asked(service: ServiceReader | None, trace_id: str, *, may_fail: bool) -> tuple[list[Event] | None, str]:
    """Return the service's events, or None and why there are none."""
    if service is None:
        return None, ""
    try:
        return service.events(trace_id), ""
    except ServiceError as error:
        if not may_fail:
            raise
        return None, str(error)


def _dropped(home: Path, agents: Container[object]) -> int:
    """Return how many events of these agents were dropped for want of room, at any time."""
    destinations = ((one.counts.dropped, one.destination) for one in survey(home))
    return sum(dropped for dropped, whose in destinations if whose is not None and (whose.url == "local" or whose.agent_name in agents))


def _parked(home: Path) -> Iterator[tuple[Event, str]]:
    for aside in parked_events(home):
        event = decode(aside.line)
        if event is not None:
            yield event, aside.reason
