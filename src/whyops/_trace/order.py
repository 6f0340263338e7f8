"""Events in the order in which things happened, as far as that can be told. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter, lt

from .._wire.read import RecordedEvent


def in_order(events: Sequence[RecordedEvent]) -> tuple[RecordedEvent, ...]:
    """Sort by time, given the order in which events came in; an event without a time stays behind the one that it came in after.

    The service keeps milliseconds, and gives back those of one millisecond in any order: what they tell of themselves decides there.
    """
    times = [at for event in events if (at := event.at) is not None]
    if len(times) == len(events) and all(map(lt, times, times[1:])):
        return tuple(events)
    timed = []
    last = 0
    for event in events:
        last = last if event.at is None else event.at
        timed.append((last, event))
    ordered: list[RecordedEvent] = []
    for _, moment in groupby(sorted(timed, key=itemgetter(0)), key=itemgetter(0)):
        together = [event for _, event in moment]
        ordered += _of_one_moment(together) if len(together) > 1 else together
    return tuple(ordered)


def _of_one_moment(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Order those of one process as it numbered them, in the places that they have by their steps; without steps, as they came in."""
    steps = [event.step or 0 for event in events]
    of_process: dict[str, list[tuple[int, RecordedEvent]]] = defaultdict(list)
    for place, event in sorted(zip(steps if all(steps) else range(len(events)), events, strict=True), key=itemgetter(0)):
        of_process[event.key_parts.process].append((place, event))
    placed: list[tuple[int, RecordedEvent]] = []
    for process, own in of_process.items():
        those = [event for _, event in own]
        placed += zip((place for place, _ in own), _as_numbered(those) if process else those, strict=True)
    return [event for _, event in sorted(placed, key=itemgetter(0))]


def _as_numbered(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Order a process's events by number. The end of a call has its beginning's: it goes behind the greatest one before it."""
    ranked = []
    latest = -1
    for event in events:
        _, number, is_end = event.key_parts
        latest = latest if is_end else max(latest, number)
        ranked.append(((max(latest, number) if is_end else number, is_end), event))
    return [event for _, event in sorted(ranked, key=itemgetter(0))]
