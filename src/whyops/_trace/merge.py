"""The same trace, read in several places → its events, each once. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from .._wire.read import RecordedEvent

Event = Mapping[str, object]


def merged(here: Iterable[Event], there: Iterable[Event]) -> tuple[list[Event], int]:
    """Return the events that are kept here, which are whole, and of those of the service the ones that are not among them.

    With them comes how many of those here the service does not have.

    Here an event is known by its key. The service gives no keys back, fills in spans and keeps times to the millisecond: so its events
    are told by type, time and, where ours has one, span.
    """
    own = _once(here)
    known = Counter(map(_mark, own))
    new = []
    for event in there:
        mark = next((mark for mark in (_mark(event), _mark(event, with_span=False)) if known[mark]), None)
        if mark is None:
            new.append(event)
        else:
            known[mark] -= 1
    return [*own, *new], sum(known.values())


def _once(events: Iterable[Event]) -> list[Event]:
    kept: dict[object, Event] = {}
    for event in events:
        kept.setdefault(RecordedEvent(event).key or object(), event)  # one without a key is like no other
    return list(kept.values())


def _mark(event: Event, *, with_span: bool = True) -> tuple[object, ...]:
    read = RecordedEvent(event)
    return read.type, None if read.at is None else read.at // 1000, read.span_id if with_span else None
