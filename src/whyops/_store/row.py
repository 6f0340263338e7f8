"""A trace's row in the local store: its names, times and counts, from its events in whatever order they arrive."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from .._wire.prompt import is_of_user
from .._wire.read import RecordedEvent, decode

if TYPE_CHECKING:
    from sqlite3 import Connection

Parsed = tuple[RecordedEvent, bytes]
"""An event and its line."""


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
        return _NO_EVENTS.with_event(event)

    def with_event(self, event: RecordedEvent) -> SpanCounts:
        """Return the counts with one more event."""
        requests, responses, failed, results, errors = self
        kind = event.type
        if kind == "tool_call_request":
            return SpanCounts(requests + 1, responses, failed, results, errors)
        if kind == "tool_call_response":
            has_failed = event.failure is not None and event.stands_for is None
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
    """A trace's row: its number, its opening as far as it has one, and whether it was made just now."""

    trace: int
    opening: int | None
    is_new: bool


Numbered = tuple[int, RecordedEvent, bytes]
"""An event's number in the store, itself, and its line."""


def add(connection: Connection, traces: Mapping[str, Sequence[Parsed]], now: float, day: int) -> None:
    """Store the lines of traces that are new, and update the rows. `now` is in seconds since 1970; no event's time is taken as later."""
    latest = int(now * 1_000_000)
    rows = [_row(connection, trace_id, sortable(latest), int(now)) for trace_id in traces]
    spans: list[tuple[object, ...]] = []
    tools: list[tuple[object, ...]] = []
    for row, new in zip(rows, _added(connection, rows, list(traces.values())), strict=True):
        if new:
            counts = _counted(connection, row, [event for _, event, _ in new], spans, tools)
            _update(connection, row, new, latest, (int(now), day), counts)
    _write_counts(connection, spans, tools)


def _row(connection: Connection, trace_id: str, latest: str, now: int) -> _Row:
    """Return a trace's row, which is made if there is none."""
    statement = "INSERT OR IGNORE INTO traces (trace_id, started_at, active_at, stored_at) VALUES (?, ?, '', ?)"
    made = connection.execute(statement, (trace_id, latest, now))
    if made.rowcount == 1:
        return _Row(made.lastrowid or 0, None, is_new=True)
    trace, opening = connection.execute("SELECT trace, opening FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
    return _Row(trace, opening, is_new=False)


def _update(
    connection: Connection, row: _Row, new: Sequence[Numbered], latest: int, arrived: tuple[int, int], counts: Sequence[int]
) -> None:
    """Take into a trace's row what its new events tell. `arrived` is when, in seconds since 1970, and on which day of the store's use."""
    events = [event for _, event, _ in new]
    times = [latest if event.at is None else min(event.at, latest) for event in events]
    began = [latest if event.began_at is None else min(event.began_at, latest) for event in events]
    connection.execute(
        """
        UPDATE traces SET
            agent_name = coalesce(agent_name, ?), external_user_id = coalesce(external_user_id, ?), opening = ?,
            started_at = min(started_at, ?), active_at = max(active_at, ?), stored_at = max(stored_at, ?), day = ?,
            events = events + ?, bytes = bytes + ?,
            calls = calls + ?, errors = errors + ?, tokens_in = tokens_in + ?, tokens_out = tokens_out + ?
        WHERE trace = ?
        """,
        (
            storable(next((event.agent_name for event in events if event.agent_name), None)),
            storable(next((event.external_user_id for event in events if event.external_user_id), None)),
            _opening(connection, row.opening, new),
            sortable(min(began)),
            sortable(max(times)),
            *arrived,
            len(new),
            sum(len(line) for _, _, line in new),
            *counts,
            row.trace,
        ),
    )


def _added(connection: Connection, rows: Sequence[_Row], lines: Sequence[Sequence[Parsed]]) -> Iterator[list[Numbered]]:
    """Store those lines that are new, and yield those of each trace, with their numbers, which go up."""
    (last,) = connection.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
    given = [(row.trace, storable(event.key), line) for row, own in zip(rows, lines, strict=True) for event, line in own]
    done = connection.executemany("INSERT OR IGNORE INTO events (trace, idempotency_key, line) VALUES (?, ?, ?)", given)
    numbers: Iterator[int] = itertools.count(last + 1)
    if done.rowcount < len(given):
        numbers = _numbers(connection, last, given)
    for own in lines:
        yield [(number, event, line) for (event, line), number in zip(own, numbers, strict=False) if number]


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
    prompts = [(number, event) for number, event, _ in new if event.type == "user_message"]
    asked = next((number for number, event in prompts if is_of_user(event)), None)
    if known is None:
        return asked if asked is not None else next((number for number, _ in prompts), None)
    if asked is None:
        return known
    row = connection.execute("SELECT line FROM events WHERE event = ?", (known,)).fetchone()
    return known if row and is_of_user(RecordedEvent(decode(row[0]) or {})) else asked


def recount(connection: Connection) -> None:
    """Count all events again, in a store whose counts were made by older rules."""
    connection.execute("UPDATE traces SET calls = 0, errors = 0, tokens_in = 0, tokens_out = 0")
    connection.execute("DELETE FROM tools")
    for trace, lines in itertools.groupby(connection.execute("SELECT trace, line FROM events ORDER BY trace"), operator.itemgetter(0)):
        _count(connection, trace, [RecordedEvent(decode(line) or {}) for _, line in lines])


def retime(connection: Connection) -> None:
    """Set again when each trace began, in a store whose times were taken by an older rule."""
    for trace, lines in itertools.groupby(connection.execute("SELECT trace, line FROM events ORDER BY trace"), operator.itemgetter(0)):
        began = [at for _, line in lines if (at := RecordedEvent(decode(line) or {}).began_at) is not None]
        if began:
            values = (sortable(min(began)), trace)
            connection.execute("UPDATE traces SET started_at = min(started_at, ?) WHERE trace = ?", values)


def _count(connection: Connection, trace: int, events: Sequence[RecordedEvent]) -> None:
    spans: list[tuple[object, ...]] = []
    tools: list[tuple[object, ...]] = []
    counts = _counted(connection, _Row(trace, None, is_new=False), events, spans, tools)
    _write_counts(connection, spans, tools)
    connection.execute(
        "UPDATE traces SET calls = calls + ?, errors = errors + ?, tokens_in = tokens_in + ?, tokens_out = tokens_out + ? WHERE trace = ?",
        (*counts, trace),
    )


def _counted(
    connection: Connection, row: _Row, events: Sequence[RecordedEvent], spans: list[tuple[object, ...]], tools: list[tuple[object, ...]]
) -> tuple[int, int, int, int]:
    """Return calls, failures, and tokens in and out; add what is to be written of spans and tools."""
    of_spans = {span for event in events if event.type in _COUNTED and (span := storable(event.span_id)) is not None}
    known = {} if row.is_new else _known(connection, row.trace, of_spans)
    named: dict[str, None] = {}
    calls = failures = tokens_in = tokens_out = 0
    for event in events:
        if "usage" in event.metadata:
            tokens_in += event.usage.given
            tokens_out += event.usage.completion
        if event.type not in _COUNTED:
            continue
        span = storable(event.span_id)
        before = _NO_EVENTS if span is None else known.get(span, _NO_EVENTS)
        counted = before.with_event(event)
        if span is not None:
            known[span] = counted
        if event.stands_for is None:
            calls += counted.calls - before.calls
            if event.type != "error" and event.tool:
                named[event.tool] = None
        failures += counted.failures - before.failures
    spans += [(row.trace, span, *counts) for span, counts in known.items()]
    tools += [(row.trace, storable(tool)) for tool in named]
    return calls, failures, tokens_in, tokens_out


def _write_counts(connection: Connection, spans: Iterable[tuple[object, ...]], tools: Iterable[tuple[object, ...]]) -> None:
    connection.executemany("INSERT OR IGNORE INTO tools (trace, name) VALUES (?, ?)", tools)
    connection.executemany("INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?)", spans)


def _known(connection: Connection, trace: int, spans: Iterable[str]) -> dict[str, SpanCounts]:
    """Return what was counted of spans before, as far as anything was."""
    wanted = list(spans)
    known: dict[str, SpanCounts] = {}
    for begin in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[begin : begin + _ASKED_AT_ONCE]
        marks = ",".join("?" * len(some))
        found = connection.execute(f"SELECT * FROM spans WHERE trace = ? AND span_id IN ({marks})", (trace, *some))  # noqa: S608  (marks alone)
        known.update((row[1], SpanCounts(*row[2:])) for row in found)
    return known


def storable(text: str | None) -> str | None:
    """Return text that SQLite accepts: a lone surrogate becomes its escape."""
    return text if text is None or text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def sortable(microseconds: int) -> str:
    """Return a time in microseconds since 1970 as ISO 8601 with six digits of fraction, so that text order is time order."""
    return (datetime(1970, 1, 1) + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"  # noqa: DTZ001  (UTC)
