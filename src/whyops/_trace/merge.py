"""The same trace, read in several places → its events, each once. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_TO_THE_MILLISECOND = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?")

Event = dict[str, object]
Mark = tuple[object, ...]


def merged(here: Iterable[Event], there: Iterable[Event]) -> tuple[list[Event], int]:
    """Return the events that are kept here, which are whole, and of those of the service the ones that are not among them.

    With them comes how many of those here the service does not have.

    Here an event is known by its key. The service gives no keys back, fills in spans and keeps times to the millisecond: so its events
    are told by type, time and, where ours has one, span.
    """
    own = _once(here)
    known: Counter[Mark] = Counter()
    for event in own:
        known[_mark(event)] += 1
    new = []
    for event in there:
        mark = next((mark for mark in (_mark(event), _mark(event, with_span=False)) if known[mark]), None)
        if mark is None:
            new.append(event)
        else:
            known[mark] -= 1
    return [*own, *new], sum(known.values())


def _once(events: Iterable[Event]) -> list[Event]:
    seen: set[object] = set()
    kept = []
    for event in events:
        key = event.get("idempotencyKey")
        if not isinstance(key, str) or not key:
            kept.append(event)
        elif key not in seen:
            seen.add(key)
            kept.append(event)
    return kept


def _mark(event: Mapping[str, object], *, with_span: bool = True) -> Mark:
    timestamp = event.get("timestamp")
    found = _TO_THE_MILLISECOND.match(timestamp) if isinstance(timestamp, str) else None
    moment = timestamp if found is None else f"{found[1]}:{found[2] or '00'}.{found[3] or '':0<3}"
    span = event.get("spanId") if with_span else None
    return event.get("eventType"), moment, span if isinstance(span, str) and span else None
