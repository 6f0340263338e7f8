"""A trace's row in the local store: its names, times and counts, from its events in whatever order they arrive."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
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
        return cls(
            requests=event.type == "tool_call_request",
            responses=event.type == "tool_call_response",
            failed=event.type == "tool_call_response" and event.failure is not None and event.stands_for is None,
            results=event.type == "tool_result",
            errors=event.type == "error",
        )

    @property
    def calls(self) -> int:
        """How many tool calls the events belong to."""
        return max(self.requests, self.responses, min(self.results, 1))

    @property
    def failures(self) -> int:
        """How many of the calls failed; where there is no call, how many errors there were."""
        return max(self.failed, min(self.errors, 1)) if self.calls else self.errors


_COUNTED = frozenset({"tool_call_request", "tool_call_response", "tool_result", "error"})
_NO_EVENTS = SpanCounts()
_ASKED_AT_ONCE = 500


def add(connection: Connection, trace_id: str, lines: Sequence[Parsed], now: float, day: int) -> None:
    """Store the lines of a trace that are new, and update its row. `now` is in seconds since 1970; no event's time is taken as later."""
    latest = int(now * 1_000_000)
    connection.execute(
        "INSERT OR IGNORE INTO traces (trace_id, started_at, active_at, stored_at) VALUES (?, ?, '', ?)",
        (trace_id, sortable(latest), int(now)),
    )
    trace, opening = connection.execute("SELECT trace, opening FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
    new = _added(connection, trace, lines)
    if not new:
        return
    events = [event for _, (event, _) in new]
    times = [latest if event.at is None else min(event.at, latest) for event in events]
    began = [latest if event.began_at is None else min(event.began_at, latest) for event in events]
    connection.execute(
        """
        UPDATE traces SET
            agent_name = coalesce(agent_name, ?), external_user_id = coalesce(external_user_id, ?), opening = ?,
            started_at = min(started_at, ?), active_at = max(active_at, ?), stored_at = max(stored_at, ?), day = ?,
            events = events + ?, bytes = bytes + ?
        WHERE trace = ?
        """,
        (
            storable(next((event.agent_name for event in events if event.agent_name), None)),
            storable(next((event.external_user_id for event in events if event.external_user_id), None)),
            _opening(connection, opening, new),
            sortable(min(began)),
            sortable(max(times)),
            int(now),
            day,
            len(new),
            sum(len(line) for _, (_, line) in new),
            trace,
        ),
    )
    _count(connection, trace, events)


def _added(connection: Connection, trace: int, lines: Sequence[Parsed]) -> list[tuple[int, Parsed]]:
    """Store those lines that are new, and return them with their numbers, which go up."""
    keys = [storable(event.key) for event, _ in lines]
    (last,) = connection.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
    done = connection.executemany(
        "INSERT OR IGNORE INTO events (trace, idempotency_key, line) VALUES (?, ?, ?)",
        [(trace, key, line) for key, (_, line) in zip(keys, lines, strict=True)],
    )
    if done.rowcount == len(lines):
        return list(enumerate(lines, last + 1))
    added = iter(connection.execute("SELECT event, idempotency_key FROM events WHERE event > ? ORDER BY event", (last,)).fetchall())
    new: list[tuple[int, Parsed]] = []
    number, waited_for = next(added, (0, ""))
    for key, line in zip(keys, lines, strict=True):
        if number and key == waited_for:
            new.append((number, line))
            number, waited_for = next(added, (0, ""))
    return new


def _opening(connection: Connection, known: int | None, new: Sequence[tuple[int, Parsed]]) -> int | None:
    """Return the event that tells what was asked: the first message of a user, or as long as there is none, the first prompt."""
    prompts = [(number, event) for number, (event, _) in new if event.type == "user_message"]
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
    spans = _known(
        connection, trace, {span for event in events if event.type in _COUNTED and (span := storable(event.span_id)) is not None}
    )
    tools: set[str] = set()
    calls = failures = tokens_in = tokens_out = 0
    for event in events:
        if "usage" in event.metadata:
            tokens_in += event.usage.given
            tokens_out += event.usage.completion
        if event.type not in _COUNTED:
            continue
        own = SpanCounts.of(event)
        is_call = event.stands_for is None
        if own.calls and is_call and event.tool and event.tool not in tools:
            tools.add(event.tool)
            connection.execute("INSERT OR IGNORE INTO tools (trace, name) VALUES (?, ?)", (trace, storable(event.tool)))
        before, span = _NO_EVENTS, storable(event.span_id)
        if span is not None:
            before = spans.get(span, _NO_EVENTS)
            spans[span] = own = SpanCounts(*map(operator.add, before, own)) if before is not _NO_EVENTS else own
        calls += own.calls - before.calls if is_call else 0
        failures += own.failures - before.failures
    connection.executemany(
        "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?)", [(trace, span, *counts) for span, counts in spans.items()]
    )
    connection.execute(
        "UPDATE traces SET calls = calls + ?, errors = errors + ?, tokens_in = tokens_in + ?, tokens_out = tokens_out + ? WHERE trace = ?",
        (calls, failures, tokens_in, tokens_out, trace),
    )


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
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def sortable(microseconds: int) -> str:
    """Return a time in microseconds since 1970 as ISO 8601 with six digits of fraction, so that text order is time order."""
    return (datetime(1970, 1, 1) + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"  # noqa: DTZ001  (UTC)
