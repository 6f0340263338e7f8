"""A trace's row in the local store: its names, times and counts, from its events in whatever order they arrive."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .._wire.entry import NO_TOKENS, Entry, text_in
from .._wire.prompt import is_of_user
from .._wire.read import RecordedEvent, decode

if TYPE_CHECKING:
    from sqlite3 import Connection


class SpanCounts(NamedTuple):
    """How many events of each kind a span has; `failed` are the responses with a failure.

    The counts alone determine what a trace's steps show, whatever the events' order: the n-th response belongs to the n-th request, and
    a result alone, or an error, to a call of its span.
    """

    requests: int = 0
    responses: int = 0
    failed: int = 0
    results: int = 0
    errors: int = 0

    @classmethod
    def of(cls, event: RecordedEvent) -> SpanCounts:
        """Count a single event."""
        has_failed = event.type == "tool_call_response" and event.failure is not None and event.stands_for is None
        return _NO_EVENTS.with_one(event.type, has_failed=has_failed)

    def with_one(self, kind: str, *, has_failed: bool) -> SpanCounts:
        """Return the counts with one more event."""
        requests, responses, failed, results, errors = self
        if kind == "tool_call_request":
            return SpanCounts(requests + 1, responses, failed, results, errors)
        if kind == "tool_call_response":
            return SpanCounts(requests, responses + 1, failed + has_failed, results, errors)
        return SpanCounts(requests, responses, failed, results + (kind == "tool_result"), errors + (kind == "error"))

    @property
    def calls(self) -> int:
        """How many tool calls the events belong to."""
        requests, responses, _, results, _ = self
        return max(requests, responses) or min(results, 1)

    @property
    def failures(self) -> int:
        """How many of the calls failed; where there is no call, how many errors there were."""
        _, _, failed, _, errors = self
        if not (failed or errors):
            return 0
        return max(failed, min(errors, 1)) if self.calls else errors


_COUNTED = frozenset({"tool_call_request", "tool_call_response", "tool_result", "error"})
_NO_EVENTS = SpanCounts()
_ASKED_AT_ONCE = 500


class _Row(NamedTuple):
    """A trace's row: its number, its opening as far as it has one, and whether it is yet to be made."""

    trace: int
    opening: int | None
    is_new: bool


class _Counts:
    """What events add to a trace's row, and what is to be written of spans and tools."""

    def __init__(self) -> None:
        self.spans: list[tuple[object, ...]] = []
        self.tools: list[tuple[object, ...]] = []

    def write(self, connection: Connection) -> None:
        """Write what is to be written of spans and tools."""
        connection.executemany("INSERT OR IGNORE INTO tools (trace, name) VALUES (?, ?)", self.tools)
        connection.executemany("INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?)", self.spans)

    def add(self, connection: Connection, row: _Row, entries: Sequence[Entry]) -> tuple[int, int, int, int]:
        """Return calls, failures, and tokens in and out."""
        counted = [entry for entry in entries if entry.kind in _COUNTED]
        known: dict[str, SpanCounts] = {}
        if not row.is_new:
            known = _known(connection, row.trace, {entry.span for entry in counted if entry.span is not None})
        named: dict[str, None] = {}
        calls = failures = 0
        for entry in counted:
            span = entry.span
            counts, more_calls, more_failures = _with_one(known.get(span or "", _NO_EVENTS), entry.kind, entry.failed)
            if span is not None:
                known[span] = counts
            failures += more_failures
            if not entry.stands_for:
                calls += more_calls
                if entry.tool:
                    named[entry.tool] = None
        self.spans += [(row.trace, span, *counts) for span, counts in known.items()]
        self.tools += [(row.trace, tool) for tool in named]
        used = [entry.tokens for entry in entries if entry.tokens is not NO_TOKENS]
        return calls, failures, sum(given for given, _ in used), sum(written for _, written in used)


@lru_cache(maxsize=256)
def _with_one(before: SpanCounts, kind: str, failed: bool) -> tuple[SpanCounts, int, int]:  # noqa: FBT001  (a cache takes places sooner)
    """Return the counts with one more event, and by how much there are more calls and failures."""
    counted = before.with_one(kind, has_failed=failed)
    return counted, counted.calls - before.calls, counted.failures - before.failures


Numbered = tuple[Entry, int]
"""What an event tells, and its number in the store."""


def add(connection: Connection, traces: Mapping[str, Sequence[Entry]], now: float, day: int) -> None:
    """Store the lines of traces that are new, and update the rows. `now` is in seconds since 1970; no event's time is taken as later."""
    latest = int(now * 1_000_000)
    rows = _rows(connection, list(traces))
    counts = _Counts()
    made: list[tuple[object, ...]] = []
    changed: list[tuple[object, ...]] = []
    for trace_id, row, new in zip(traces, rows, _added(connection, rows, list(traces.values())), strict=True):
        if new:
            entries = [entry for entry, _ in new]
            opening = _opening(connection, row.opening, new)
            told = (*_told(entries, opening, latest), int(now), day, *counts.add(connection, row, entries))
            if row.is_new:
                made.append((*told, row.trace, trace_id))
            else:
                changed.append((*told, row.trace))
    connection.executemany(_MAKE, made)
    connection.executemany(_CHANGE, changed)
    counts.write(connection)


_MAKE = """
    INSERT INTO traces (
        agent_name, external_user_id, opening, started_at, active_at, events, bytes, stored_at, day, calls, errors, tokens_in, tokens_out,
        trace, trace_id
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHANGE = """
    UPDATE traces SET
        agent_name = coalesce(agent_name, ?), external_user_id = coalesce(external_user_id, ?), opening = ?,
        started_at = min(started_at, ?), active_at = max(active_at, ?), events = events + ?, bytes = bytes + ?,
        stored_at = max(stored_at, ?), day = ?,
        calls = calls + ?, errors = errors + ?, tokens_in = tokens_in + ?, tokens_out = tokens_out + ?
    WHERE trace = ?
"""


def _rows(connection: Connection, trace_ids: Sequence[str]) -> list[_Row]:
    """Return the traces' rows; one that is not there gets the next number."""
    known: dict[str, _Row] = {}
    for trace_id, trace, opening in _in_parts(connection, "SELECT trace_id, trace, opening FROM traces WHERE trace_id IN", trace_ids):
        known[trace_id] = _Row(trace, opening, is_new=False)
    (last,) = connection.execute("SELECT coalesce(max(trace), 0) FROM traces").fetchone()
    numbers = itertools.count(last + 1)
    return [known.get(trace_id) or _Row(next(numbers), None, is_new=True) for trace_id in trace_ids]


def _told(entries: Sequence[Entry], opening: int | None, latest: int) -> tuple[object, ...]:
    """Return what new events tell: agent, user, opening, when they began and were active, how many they are, and their bytes."""
    began = [entry.began for entry in entries if entry.began is not None]
    at = [latest if entry.at is None else entry.at for entry in entries]
    return (
        next((agent for entry in entries if (agent := text_in(entry.agent))), None),
        next((user for entry in entries if (user := text_in(entry.user))), None),
        opening,
        sortable(min([latest, *began])),
        sortable(min(latest, max(at))),
        len(entries),
        sum([len(entry.line) for entry in entries]),
    )


def _added(connection: Connection, rows: Sequence[_Row], lines: Sequence[Sequence[Entry]]) -> Iterator[list[Numbered]]:
    """Store those lines that are new, and yield those of each trace, with their numbers, which go up."""
    (last,) = connection.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
    given = [(row.trace, entry.key, entry.line) for row, own in zip(rows, lines, strict=True) for entry in own]
    done = connection.executemany("INSERT OR IGNORE INTO events (trace, idempotency_key, line) VALUES (?, ?, ?)", given)
    numbers: Iterator[int] = itertools.count(last + 1)
    if done.rowcount < len(given):
        numbers = _numbers(connection, last, given)
    for own in lines:
        yield [one for one in zip(own, numbers, strict=False) if one[1]]


def _numbers(connection: Connection, last: int, given: Iterable[tuple[int, str | None, bytes]]) -> Iterator[int]:
    """Yield the numbers behind the last of the lines that were to be stored, 0 for each that was there."""
    query = "SELECT event, trace, idempotency_key FROM events WHERE event > ? ORDER BY event"
    added = iter(connection.execute(query, (last,)).fetchall())
    nothing = (0, 0, None)
    number, *waited_for = next(added, nothing)
    for trace, key, _ in given:
        if number and [trace, key] == waited_for:
            yield number
            number, *waited_for = next(added, nothing)
        else:
            yield 0


def _opening(connection: Connection, known: int | None, new: Sequence[Numbered]) -> int | None:
    """Return the event that tells what was asked: the first message of a user, or as long as there is none, the first prompt."""
    asked = next((number for entry, number in new if entry.by_user), None)
    if known is None:
        return asked if asked is not None else next((number for entry, number in new if entry.kind == "user_message"), None)
    if asked is None:
        return known
    row = connection.execute("SELECT line FROM events WHERE event = ?", (known,)).fetchone()
    return known if row and is_of_user(RecordedEvent(decode(row[0]) or {})) else asked


def recount(connection: Connection) -> None:
    """Count all events again, in a store whose counts were made by older rules."""
    connection.execute("UPDATE traces SET calls = 0, errors = 0, tokens_in = 0, tokens_out = 0")
    connection.execute("DELETE FROM tools")
    for trace, entries in _stored(connection):
        counts = _Counts()
        values = counts.add(connection, _Row(trace, None, is_new=False), entries)
        counts.write(connection)
        connection.execute("UPDATE traces SET calls = ?, errors = ?, tokens_in = ?, tokens_out = ? WHERE trace = ?", (*values, trace))


def retime(connection: Connection) -> None:
    """Set again when each trace began, in a store whose times were taken by an older rule."""
    for trace, entries in _stored(connection):
        began = [entry.began for entry in entries if entry.began is not None]
        if began:
            values = (sortable(min(began)), trace)
            connection.execute("UPDATE traces SET started_at = min(started_at, ?) WHERE trace = ?", values)


def _stored(connection: Connection) -> Iterator[tuple[int, list[Entry]]]:
    """Yield each trace's number, and what its stored lines tell."""
    for trace, lines in itertools.groupby(connection.execute("SELECT trace, line FROM events ORDER BY trace"), operator.itemgetter(0)):
        yield trace, [Entry.of(decode(line) or {}, line) for _, line in lines]


def _known(connection: Connection, trace: int, spans: Iterable[str]) -> dict[str, SpanCounts]:
    """Return what was counted of spans before, as far as anything was."""
    rows = _in_parts(connection, "SELECT * FROM spans WHERE trace = ? AND span_id IN", list(spans), trace)
    return {row[1]: SpanCounts(*row[2:]) for row in rows}


def _in_parts(connection: Connection, query: str, wanted: Sequence[str], *values: object) -> Iterator[tuple[Any, ...]]:
    """Yield the rows for a query that ends where the texts stand of which a row's must be one; as many questions as it takes."""
    for begin in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[begin : begin + _ASKED_AT_ONCE]
        yield from connection.execute(f"{query} ({','.join('?' * len(some))})", (*values, *some))


def sortable(microseconds: int) -> str:
    """Return a time in microseconds since 1970 as ISO 8601 with six digits of fraction, so that text order is time order."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    """Return a time in seconds since 1970 as ISO 8601: what is recorded one after another shares it."""
    return (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001  (UTC)
