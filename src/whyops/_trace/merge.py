"""The same trace, read in several places → its events, each once. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .._wire.read import RecordedEvent

Mark = tuple[object, ...]


def merged(here: Iterable[RecordedEvent], there: Iterable[RecordedEvent]) -> tuple[list[RecordedEvent], int]:
    """Return the events that are kept here, which are whole, and of those of the service the ones that are not among them.

    With them comes how many of those here the service does not have.

    An event is known by its key. Where only one side has a key, it is told by type, time and, where ours has one, span: the service fills
    in spans and keeps times to the millisecond.
    """
    own = _once(here)
    at_service = [*there]
    if not at_service:
        return own, len(own)
    keys = {event.key for event in at_service if event.key}
    left: Counter[Mark] = Counter()
    known: set[str] = set()
    for event in own:
        if event.key and event.key in keys:
            known.add(event.key)
        else:
            left[_mark(event)] += 1
    new = [event for event in at_service if event.key not in known and not _is_found(event, left)]
    return [*own, *new], sum(left.values())


def _is_found(event: RecordedEvent, left: Counter[Mark]) -> bool:
    """Tell whether one of those that are left is this event of the service's, and take it from them."""
    for has_key in (False,) if event.key else (True, False):
        for span_id in (event.span_id, None):
            mark = (*_mark(event)[:2], span_id, has_key)
            if left[mark]:
                left[mark] -= 1
                return True
    return False


def _once(events: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    kept: dict[object, RecordedEvent] = {}
    for event in events:
        kept.setdefault(event.key or object(), event)  # one without a key is like no other
    return list(kept.values())


def _mark(event: RecordedEvent) -> Mark:
    return event.type, None if event.at is None else event.at // 1000, event.span_id, event.key is not None
