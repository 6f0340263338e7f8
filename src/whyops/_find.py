"""A trace's id → the trace, from wherever its events are: the local store, lines that wait, lines set aside, the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ._outbox.inspect import Waiting, inspect_outboxes, is_alive, rejected_events, waiting_lines
from ._printable import counted
from ._store.reader import StoreReader
from ._trace.merge import merged
from ._trace.recorded import DeliveryStatus, RecordedTrace
from ._wire.objects import recorded_in
from ._wire.read import RecordedEvent
from ._wire.recorded_time import microseconds
from ._wire.skim import Latest, is_of
from .errors import ServiceError, TraceNotFoundError

if TYPE_CHECKING:
    from ._service.reader import ServiceReader
    from ._service.stored_trace import StoredTrace

_NAMED_AT_MOST = 5

Read = Callable[[Sequence[bytes]], "list[RecordedEvent]"]


def find_trace(wanted: str, home: Path, service: ServiceReader | None, *, sparing: bool = False) -> RecordedTrace:
    """Return the trace that is meant, with what is known of its events that are not to be had.

    With `sparing`, the contents of stored events are read when they are asked for: it takes less memory, and a little more time.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    read = recorded_in
    if sparing:
        from ._wire.stored_event import stored_in as read  # noqa: PLC0415  (few have use for it)
    trace_id, waited = _meant(wanted, home, service)
    try:
        return trace_of(trace_id, home, service, read)
    except TraceNotFoundError:
        if not waited:
            raise
    trace_id, _ = _meant(wanted, home, service)  # what waited was delivered in between: it is elsewhere, or another is meant now
    return trace_of(trace_id, home, service, read)


def _meant(wanted: str, home: Path, service: ServiceReader | None) -> tuple[str, bool]:
    """Return the id of the trace that is meant, and whether some of it waits."""
    try:
        latest = Latest(_undelivered(home))
        trace_id = _resolved(wanted, home, latest, may_be_elsewhere=service is not None)
    except TraceNotFoundError:
        _check_not_lost(wanted, inspect_outboxes(home))
        raise
    return trace_id, trace_id in latest.ids


def _undelivered(home: Path) -> Iterator[bytes]:
    """Yield the lines that wait, then those that were set aside."""
    yield from waiting_lines(home)
    yield from (one.line for one in rejected_events(home))


def trace_of(trace_id: str, home: Path, service: ServiceReader | None, read: Read = recorded_in) -> RecordedTrace:
    """Return the trace that has exactly this id, as it is recorded; else as `find_trace`. `read` reads the lines of the store."""
    wanted = is_of(trace_id)
    still_waiting = recorded_in([line for line in waiting_lines(home) if wanted(line)])
    rejected = [(event, one.reason) for one in rejected_events(home) if wanted(one.line) for event in recorded_in([one.line])]
    places = inspect_outboxes(home)
    here = [*read(StoreReader(home).lines(trace_id)), *still_waiting, *(event for event, _ in rejected)]
    there, trouble = _asked(service, trace_id, may_fail=bool(here))
    if not here and not (there and there.events):
        _check_not_lost(trace_id, places)
        raise TraceNotFoundError(f"No trace {trace_id!r} is here, nor does the service know one.{StoreReader(home).meant(trace_id)}")
    events, missing_there = merged(here, map(RecordedEvent, there.events) if there else ())
    unread = there.unread if there else 0
    agents = {event.agent_name for event in events}
    counts = [one.counts for one in places if one.destination and (one.destination.url == "local" or one.destination.agent_name in agents)]
    delivery = DeliveryStatus(
        waiting=len(still_waiting),
        rejected=dict(Counter(reason for _, reason in rejected)),
        left_out=0 if there is None else max(missing_there - len(still_waiting) - len(rejected) - unread, 0),
        unread=unread,
        not_recorded=_not_recorded(places, trace_id),
        dropped=sum(one.dropped_untraced for one in counts),
        lost=sum(one.not_recorded_untraced for one in counts),
        not_asked=trouble,
    )
    return RecordedTrace.from_events(events, trace_id, delivery, partial(is_alive, home))


def _resolved(wanted: str, home: Path, undelivered: Latest, *, may_be_elsewhere: bool) -> str:
    """Return the id of the trace that is meant, of those in the local store and those not delivered; else what is to be asked for."""
    if wanted in undelivered.ids:
        return wanted
    if wanted == "last":
        return _last(StoreReader(home), undelivered.times(), may_be_elsewhere=may_be_elsewhere)
    recorded = _recorded(wanted)
    if recorded in undelivered.ids:
        return recorded
    beginning = wanted.removesuffix("…").removesuffix("...")  # as `whyops list` shows an id that it had to cut
    found = [one for one in undelivered.ids if beginning and one.startswith(beginning)]
    try:
        stored = _stored(StoreReader(home), wanted, recorded)
        if stored in {wanted, recorded}:
            return stored  # a whole id is meant, whatever else begins with it
        found = list(dict.fromkeys([*found, stored]))
    except TraceNotFoundError:
        if not found and not may_be_elsewhere:
            raise
    if len(found) > 1:
        raise TraceNotFoundError(f"More than one trace's id begins with {wanted!r}: {', '.join(found[:_NAMED_AT_MOST])}")
    return found[0] if found else recorded


def _recorded(trace_id: str) -> str:
    """Return a trace's id as it is recorded."""
    from ._recording.ids import safe_id  # noqa: PLC0415  (it knows all that is redacted, and `last` needs none of that)

    return safe_id(trace_id)


def _last(store: StoreReader, undelivered: Mapping[str, int], *, may_be_elsewhere: bool) -> str:
    """Return the id of the trace in which something happened last, of those that are on this machine."""
    times = {one.trace_id: microseconds(one.active_at) or 0 for one in store.summaries(limit=1)} | dict(undelivered)
    if not times:
        elsewhere = " Runs that were delivered to the service are listed by `whyops list --remote`." if may_be_elsewhere else ""
        raise TraceNotFoundError(f"No trace has been recorded in {store.path.parent} yet.{elsewhere}")
    return max(times, key=lambda trace_id: times[trace_id])


def _stored(store: StoreReader, wanted: str, recorded: str) -> str:
    """Return the id of the trace in the store that is meant by an id as it was given, or else as it is recorded."""
    try:
        return store.resolve(wanted)
    except TraceNotFoundError:
        if recorded == wanted:
            raise
        with suppress(TraceNotFoundError):
            return store.resolve(recorded)
        raise


def _asked(service: ServiceReader | None, trace_id: str, *, may_fail: bool) -> tuple[StoredTrace | None, str]:
    """Return what the service has, or None and why it can't be asked."""
    if service is None:
        return None, ""
    try:
        return service.trace(trace_id), ""
    except ServiceError as error:
        if not may_fail:
            raise
        return None, str(error)


def _not_recorded(places: Iterable[Waiting], trace_id: str) -> int:
    """Return how many of a trace's events are known to have been lost before they were recorded."""
    return sum(one.counts.dropped_traces.get(trace_id, 0) + one.counts.not_recorded_traces.get(trace_id, 0) for one in places)


def _check_not_lost(wanted: str, places: Iterable[Waiting]) -> None:
    """Tell of a trace of which nothing is left but the number of its events."""
    trace_id = _recorded(wanted)
    if number := _not_recorded(places, trace_id):
        raise TraceNotFoundError(
            f"Nothing of trace {trace_id!r} is here: {counted(number, 'event')} could not be recorded. `whyops status` tells why."
        )
