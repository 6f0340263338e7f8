"""Batches of lines: where they come from, and how large they may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._wire.line import trace_of
from .memory_outbox import MemoryOutbox
from .segment import Segment

MAX_EVENTS = 1000
MAX_BYTES = 1_000_000


Shelf = Segment | MemoryOutbox
"""Lines in order of recording, with positions that only grow. Read and acknowledged by one thread at a time."""

Marks = dict[int, tuple[Shelf, int]]
"""Positions on shelves, by the shelf's `id`."""


class Batch:
    """Lines that are on their way, without those that are settled already.

    `marks` are the positions that may be acknowledged once `lines` is empty. `attempts` counts how often the whole was refused in a way
    that may pass. `taken` is the number of lines that there were.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.marks: Marks = {}
        self.attempts = 0
        self.taken = 0

    def settled(self) -> int:
        """Count the lines that need not be sent again, though the shelves can't be told yet. May be called by any thread."""
        return self.taken - len(self.lines)

    def room(self, max_events: int, max_bytes: int) -> tuple[int, int] | None:
        """Return how many events and bytes more there is room for; None if it is full."""
        events, size = max_events - len(self.lines), max_bytes - sum(map(len, self.lines))
        return (events, size) if events > 0 and size > 0 else None

    def is_large(self) -> bool:
        """Tell whether the size of the lines may be what kept more of them out."""
        return sum(map(len, self.lines)) > MAX_BYTES // 4

    def acknowledge(self) -> None:
        """Tell the shelves that all of it is settled."""
        for shelf, position in self.marks.values():
            shelf.acknowledge(position)

    def extend(self, shelves: Iterable[Shelf], max_events: int, max_bytes: int) -> int:
        """Add lines from where this batch ends, and return how many were added."""
        before = len(self.lines)
        for shelf in shelves:
            start = self.marks[id(shelf)][1] if id(shelf) in self.marks else shelf.acknowledged
            lines, end = shelf.read(start, max_events, max_bytes)
            if end != start:
                self.marks[id(shelf)] = (shelf, end)
            self.lines += lines
            max_events -= len(lines)
            max_bytes -= sum(map(len, lines))
            if max_events <= 0 or max_bytes <= 0:
                break
        self.taken += len(self.lines) - before
        return len(self.lines) - before


class BatchSize:
    """How many events to send at once: more while the answers are quick, fewer when they are slow."""

    START = 100
    QUICK_SECONDS = 1.0

    def __init__(self) -> None:
        self.events = self.START

    def answered(self, events: int, seconds: float) -> None:
        """Learn from an answer."""
        if seconds <= self.QUICK_SECONDS and events >= self.events:
            self.events = min(self.events * 2, MAX_EVENTS)
        self.failed(events, seconds)

    def failed(self, events: int, seconds: float) -> None:
        """Learn from a failure: one that took long may be due to the size."""
        if seconds > self.QUICK_SECONDS:
            self.events = max(self.START, min(self.events, events) // 2)


def by_trace(lines: Sequence[bytes]) -> list[list[bytes]]:
    """Split lines into those of each trace, in the order in which the traces appear; if there is but one, into two halves."""
    traces: dict[bytes, list[bytes]] = {}
    for line in lines:
        traces.setdefault(trace_of(line), []).append(line)
    if len(traces) > 1:
        return list(traces.values())
    middle = len(lines) // 2
    return [list(lines[:middle]), list(lines[middle:])]


def reached(marks: Marks) -> bool:
    """Tell whether everything before the marks is settled."""
    return all(shelf.acknowledged >= position for shelf, position in marks.values())
