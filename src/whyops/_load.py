"""A trace's id → the trace, from wherever its events are: the local store, lines that wait, lines set aside, the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from . import _default
from ._config import settings as _settings
from ._outbox.inspect import Waiting, inspect_outboxes, is_alive, rejected_events, waiting_lines
from ._printable import counted
from ._recording.ids import safe_id
from ._service.reader import ServiceReader
from ._service.stored_trace import StoredTrace
from ._store.reader import Selection, StoreReader
from ._trace.merge import merged
from ._trace.recorded import DeliveryStatus, RecordedTrace
from ._trace.trace_list import TraceList
from ._wire.read import RecordedEvent, decode, microseconds
from .errors import ServiceError, TraceNotFoundError
from .types import FlushResult

FLUSH_SECONDS = 5.0
_NAMED_AT_MOST = 5

Event = Mapping[str, object]


def load_trace(id: str) -> RecordedTrace:  # noqa: A002  (the name that users write)
    """Return a recorded trace as objects: its events, the decision path that they make up, calls, totals.

    `id` is the trace's id, as it was given or as it is recorded, as much of the beginning as no other local trace has, or `last`. It is
    looked for in the local store and among the events that wait; with a key, at the service too. What the default client has recorded is
    delivered first, if that is quick.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    settings = _settings_after_delivery()
    key = None if settings.disabled else settings.api_key
    service = None if key is None else ServiceReader(settings.analyse_base_url or "", key, settings.transport)
    return find_trace(id, _settings.home_directory(settings.home), service)


def load_traces(
    limit: int = 20,
    *,
    agent_name: str | None = None,
    external_user_id: str | None = None,
    tool: str | None = None,
    errors: bool = False,
) -> TraceList:
    """Return the traces in the local store, most recently active first, at most `limit` of them; in a notebook they are a table.

    They can be narrowed down to those of an agent, of a user, with a call of a tool, or with errors. What the default client has recorded
    is delivered first, if that is quick. Traces that only the service has are listed by `whyops list --remote`.

    Raises:
        StoreError: The local store can't be read.
    """
    home = _settings.home_directory(_settings_after_delivery().home)
    store = StoreReader(home)
    selection = Selection(errors=errors, external_user_id=external_user_id, agent_name=agent_name, tool=tool)
    ids = [one.trace_id for one in store.summaries(selection, limit=max(limit, 0))]
    return TraceList(RecordedTrace.from_events(store.events(one), one, is_alive=partial(is_alive, home)) for one in ids)


def _settings_after_delivery() -> _settings.Settings:
    """Return the settings of the default client, or else of the environment, once what the client has recorded is delivered."""
    client = _default.existing_default()
    if client is None:
        return _settings.given().completed()
    settings, _, delivery = client._assembled()  # noqa: SLF001  (what the client was told is nobody else's business)
    if delivery is not None:
        first = delivery.first  # what goes elsewhere as well is not read from there
        first.wait(first.flush(FLUSH_SECONDS, may_give_up=True), FLUSH_SECONDS, FlushResult)
    return settings


def find_trace(wanted: str, home: Path, service: ServiceReader | None) -> RecordedTrace:
    """Return the trace that is meant, with what is known of its events that are not to be had.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    undelivered = _Undelivered.below(home)
    try:
        trace_id = _resolved(wanted, home, undelivered.events(), may_be_elsewhere=service is not None)
    except TraceNotFoundError:
        _check_not_lost(wanted, undelivered.places)
        raise
    return _loaded(trace_id, home, service, undelivered)


def trace_of(trace_id: str, home: Path, service: ServiceReader | None) -> RecordedTrace:
    """Return the trace that has exactly this id, as it is recorded; else as `find_trace`."""
    return _loaded(trace_id, home, service, _Undelivered.below(home))


class _Undelivered(NamedTuple):
    """What lies in outboxes: events that wait, those that were set aside, with the reason, and what is known of each place."""

    waiting: list[RecordedEvent]
    aside: list[tuple[RecordedEvent, str]]
    places: list[Waiting]

    @classmethod
    def below(cls, home: Path) -> _Undelivered:
        waiting = [RecordedEvent(event) for line in waiting_lines(home) if (event := decode(line)) is not None]
        aside = [(RecordedEvent(event), one.reason) for one in rejected_events(home) if (event := decode(one.line)) is not None]
        return cls(waiting, aside, inspect_outboxes(home))

    def events(self) -> list[RecordedEvent]:
        return [*self.waiting, *(event for event, _ in self.aside)]


def _loaded(trace_id: str, home: Path, service: ServiceReader | None, undelivered: _Undelivered) -> RecordedTrace:
    waiting, aside, places = undelivered
    still_waiting = [event.raw for event in waiting if event.trace_id == trace_id]
    rejected = [(event.raw, reason) for event, reason in aside if event.trace_id == trace_id]
    here = [*StoreReader(home).events(trace_id), *still_waiting, *(event for event, _ in rejected)]
    there, trouble = _asked(service, trace_id, may_fail=bool(here))
    if not here and not (there and there.events):
        _check_not_lost(trace_id, places)
        raise TraceNotFoundError(f"No trace {trace_id!r} is here, nor does the service know one.{StoreReader(home).meant(trace_id)}")
    events, missing_there = merged(here, there.events if there else ())
    unread = there.unread if there else 0
    agents = {RecordedEvent(event).agent_name for event in events}
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


def _resolved(wanted: str, home: Path, undelivered: Iterable[RecordedEvent], *, may_be_elsewhere: bool) -> str:
    """Return the id of the trace that is meant, of those in the local store and those not delivered; else what is to be asked for."""
    recorded = safe_id(wanted)
    latest: dict[str, int] = {}
    for event in undelivered:
        if event.trace_id:
            latest[event.trace_id] = max(latest.get(event.trace_id, 0), event.at or 0)
    if recorded in latest:
        return recorded
    if wanted == "last":
        return _last(StoreReader(home), latest, may_be_elsewhere=may_be_elsewhere)
    beginning = wanted.removesuffix("…").removesuffix("...")  # as `whyops list` shows an id that it had to cut
    found = [one for one in latest if beginning and one.startswith(beginning)]
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
    trace_id = safe_id(wanted)
    if number := _not_recorded(places, trace_id):
        raise TraceNotFoundError(
            f"Nothing of trace {trace_id!r} is here: {counted(number, 'event')} could not be recorded. `whyops status` tells why."
        )


def _html_of(trace: RecordedTrace) -> str:
    from ._render.notebook import render_notebook  # noqa: PLC0415  (few of those who load traces look at them in a notebook)

    return render_notebook(trace)


def _table_of(traces: TraceList) -> str:
    from ._render.notebook_table import render_table  # noqa: PLC0415  (as above)

    return render_table(traces)


RecordedTrace._to_html = _html_of  # noqa: SLF001  (a field of ours, which users need not see)
TraceList._to_html = _table_of  # noqa: SLF001  (as above)
