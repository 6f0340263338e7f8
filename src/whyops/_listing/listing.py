"""The pages of the list: traces newest first, of the store and of what waits, as far as a short time allows."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from .._outbox.watch import OutboxWatch
from .._store.newest import MOST_AT_ONCE, NewestFirst, Placed, Position
from .._wire.read import RecordedEvent, decode
from .query import Cursor, Query
from .row import Row, stored_row, with_waiting
from .search import Excerpt, Wanted

SECONDS = 0.4
"""After which a page is returned; one with something in it after a quarter of that."""
_FIRST_SLICE = 64
_BYTES_AT_ONCE = 8_000_000

Waiting = Mapping[str, Sequence[RecordedEvent]]
"""Events that wait, by their traces' ids."""


class Page(NamedTuple):
    """A part of the list. `cursor` asks for the next, None where none is; `looked_at` traces of the store were looked through for it."""

    rows: list[Row]
    cursor: Cursor | None
    looked_at: int


class _Fresh(NamedTuple):
    """A trace of which events wait: its line, and what the store has of it."""

    row: Row
    number: int | None
    stored: Row | None


@dataclass
class _Pile:
    """Lines that are put together from two orders, newest first: traces of the store, and `fresh` ones, of which events wait."""

    limit: int
    fresh: deque[Row]
    position: Position
    last_fresh: tuple[str, str]
    rows: list[Row] = field(default_factory=list)
    looked_at: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= self.limit

    def add_fresh(self, until: str = "") -> None:
        """Add the fresh ones that were active since."""
        while self.fresh and self.fresh[0].active_at >= until and not self.is_full:
            self.rows.append(self.fresh.popleft())
            self.last_fresh = (self.rows[-1].active_at, self.rows[-1].trace_id)

    def add(self, members: Iterable[tuple[Position, Row | None]]) -> None:
        """Add traces of the store, those that were found, and the fresh ones before each."""
        for position, row in members:
            self.add_fresh(position.active_at)
            if self.is_full:
                return
            self.position = position
            self.looked_at += 1
            if row is not None:
                self.rows.append(row)

    def cursor(self) -> Cursor:
        return Cursor(self.position, self.last_fresh)


class Listing:
    """Lists the traces below `home`, for any number of threads. A page takes about so many seconds at most."""

    def __init__(self, home: Path, seconds: float = SECONDS) -> None:
        self.store = NewestFirst(home)
        self._watch = OutboxWatch(home)
        self._lock = threading.Lock()
        self._seconds = seconds

    @property
    def unread_bytes(self) -> int:
        """How much waits that is too much to be listed."""
        return self._watch.unread_bytes

    def page(self, query: Query) -> Page:
        """Return the next traces that a query selects: `limit` of them, or fewer if finding them takes longer than a moment."""
        begun = time.monotonic()
        waiting = self.waiting()
        pile = _Pile(query.limit, deque(self._fresh_rows(query, waiting)), *query.cursor)
        for members in self._slices(query, waiting):
            pile.add(members)
            if pile.is_full or query.brief or time.monotonic() - begun >= self._seconds / (4 if pile.rows else 1):
                return Page(pile.rows, pile.cursor(), pile.looked_at)
        pile.add_fresh()
        return Page(pile.rows, pile.cursor() if pile.fresh else None, pile.looked_at)

    def count(self, query: Query) -> int:
        """Return how many traces a query selects, whatever text it searches for."""
        fresh = [one for one in self._fresh(self.waiting()) if one.row.matches(query.selection)]
        known = sum(one.stored is not None and one.stored.matches(query.selection) for one in fresh)
        return self.store.count(query.selection) + len(fresh) - known

    def waiting(self) -> Waiting:
        """Return the events that wait."""
        found: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
        with self._lock:
            for event in self._watch.events():
                if event.trace_id is not None:
                    found[event.trace_id].append(event)
        return found

    def _slices(self, query: Query, waiting: Waiting) -> Iterator[list[tuple[Position, Row | None]]]:
        """Yield the store's traces, each with its line if it has what is wanted and nothing of it waits, in slices that grow."""
        position = query.cursor.stored
        size = _FIRST_SLICE if query.wanted else min(query.limit + 1, MOST_AT_ONCE)
        while members := self.store.slice(query.selection, after=position, most=size):
            if query.wanted:
                members = _up_to(members, _BYTES_AT_ONCE)
            found = self._found([placed.position.trace for placed in members], query.wanted)
            rows = {number: row for number, row in self._stored_rows(found).items() if row.trace_id not in waiting}
            yield [(placed.position, rows.get(placed.position.trace)) for placed in members]
            position = members[-1].position
            size = min(size * 2, MOST_AT_ONCE)

    def _found(self, traces: Sequence[int], wanted: Sequence[Wanted]) -> dict[int, Excerpt | None]:
        """Return those of the traces that have all that is wanted, with where the last of it was found."""
        found: dict[int, Excerpt | None] = dict.fromkeys(traces)
        for one in wanted:
            held = self.store.holding(list(found), one.texts())
            found = {trace: where for trace, lines in held.items() if (where := one.found_in(_events(lines))) is not None}
        return found

    def _stored_rows(self, found: Mapping[int, Excerpt | None]) -> dict[int, Row]:
        summaries, tools = self.store.summaries_of(list(found)), self.store.tools_of(list(found))
        return {number: stored_row(summary, tools.get(number, ()), found[number]) for number, summary in summaries.items()}

    def _fresh_rows(self, query: Query, waiting: Waiting) -> list[Row]:
        """Return the lines of the selected traces of which events wait, those behind the cursor, newest first."""
        fresh = [one for one in self._fresh(waiting) if one.row.matches(query.selection)]
        behind = [one for one in fresh if (one.row.active_at, one.row.trace_id) < query.cursor.waiting]
        behind.sort(key=lambda one: (one.row.active_at, one.row.trace_id), reverse=True)
        found = (self._searched(one, waiting[one.row.trace_id], query.wanted) for one in behind)
        return [row for row in found if row is not None]

    def _fresh(self, waiting: Waiting) -> list[_Fresh]:
        numbers = self.store.numbers_of(list(waiting))
        rows = self._stored_rows(dict.fromkeys(numbers.values()))
        return [
            _Fresh(with_waiting(rows.get(number or 0), trace_id, self._new(number, events)), number, rows.get(number or 0))
            for trace_id, events in waiting.items()
            for number in (numbers.get(trace_id),)
        ]

    def _searched(self, fresh: _Fresh, events: Sequence[RecordedEvent], wanted: Sequence[Wanted]) -> Row | None:
        """Return the line with where all that is wanted was found, in what waits or in the store; None if it was not."""
        where: Excerpt | None = None
        for one in wanted:
            where = one.found_in(events)
            if where is None and fresh.number is not None:
                where = one.found_in(_events(self.store.holding([fresh.number], one.texts()).get(fresh.number, ())))
            if where is None:
                return None
        return replace(fresh.row, found=where)

    def _new(self, number: int | None, events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
        """Leave out what is in the store already: an outbox learns of that a moment later."""
        stored = set() if number is None else self.store.stored_keys(number, [event.key for event in events if event.key])
        return [event for event in events if event.key not in stored]


def _events(lines: Iterable[bytes]) -> Iterator[RecordedEvent]:
    return (RecordedEvent(event) for line in lines if (event := decode(line)) is not None)


def _up_to(members: list[Placed], most_bytes: int) -> list[Placed]:
    """Return the first of the traces, together of so many bytes at most, but at least one."""
    size = 0
    for index, placed in enumerate(members):
        size += placed.bytes
        if size > most_bytes and index:
            return members[:index]
    return members
