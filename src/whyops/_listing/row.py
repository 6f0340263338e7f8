"""One line of the list: what is known of a trace without reading all of it, from the store and from the events that wait. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .._render.asked import asked_text
from .._store.reader import Selection, TraceSummary
from .._store.row import SpanCounts, sortable
from .._wire.read import RecordedEvent
from .._wire.recorded_time import microseconds
from .search import Excerpt

_MOST_OF_A_MESSAGE = 400
_MOST_TOOLS = 5


@dataclass(frozen=True)
class Row:
    """A trace in the list. Times are ISO 8601 in UTC with six digits of fraction. `calls` None is not known; `waiting` events wait."""

    trace_id: str
    agent_name: str | None
    external_user_id: str | None
    started_at: str
    active_at: str
    events: int
    calls: int | None = 0
    errors: int = 0
    tokens: int = 0
    asked: str = ""
    tools: tuple[str, ...] = ()
    waiting: int = 0
    found: Excerpt | None = None

    def matches(self, selection: Selection) -> bool:
        """Tell whether the trace is selected."""
        return (
            (not selection.errors or self.errors > 0)
            and selection.external_user_id in {None, self.external_user_id}
            and selection.agent_name in {None, self.agent_name}
            and (selection.tool is None or selection.tool in self.tools)
            and (selection.since is None or self.active_at >= selection.since)
            and (selection.until is None or self.active_at < selection.until)
        )

    def data(self) -> dict[str, object]:
        """Return it in JSON types; times in milliseconds since 1970."""
        started, active, found = microseconds(self.started_at), microseconds(self.active_at), self.found
        return {
            "id": self.trace_id,
            "agent": self.agent_name,
            "user": self.external_user_id,
            "at": None if active is None else active // 1000,
            "ms": None if started is None or active is None else (active - started) / 1000,
            "events": self.events,
            "calls": self.calls,
            "errors": self.errors,
            "tokens": self.tokens,
            "asked": self.asked,
            "tools": self.tools[:_MOST_TOOLS],
            "moreTools": max(len(self.tools) - _MOST_TOOLS, 0),
            "waiting": self.waiting,
            "found": None if found is None or not found.match else [found.where, found.before, found.match, found.after],
        }


def stored_row(summary: TraceSummary, tools: Sequence[str], found: Excerpt | None = None) -> Row:
    """Return the line for a trace in the store."""
    return Row(
        trace_id=summary.trace_id,
        agent_name=summary.agent_name,
        external_user_id=summary.external_user_id,
        started_at=summary.started_at,
        active_at=summary.active_at,
        events=summary.events,
        calls=summary.calls,
        errors=summary.errors,
        tokens=summary.tokens_in + summary.tokens_out,
        asked="" if summary.opening is None else _asked(RecordedEvent(summary.opening), summary.calls),
        tools=tuple(tools),
        found=found,
    )


def with_waiting(row: Row | None, trace_id: str, events: Sequence[RecordedEvent]) -> Row:
    """Return the line for a trace of which events wait; `row` is what the store has of it.

    A response that waits belongs to no new call: its request is in the store, or waits as well.
    """
    times = [sortable(event.at) for event in events if event.at is not None]
    row = row or Row(trace_id, None, None, min(times, default=""), max(times, default=""), 0)
    counts = [SpanCounts.of(event) for event in events]
    return replace(
        row,
        agent_name=row.agent_name or next((event.agent_name for event in events if event.agent_name), None),
        external_user_id=row.external_user_id or next((event.external_user_id for event in events if event.external_user_id), None),
        started_at=min([row.started_at, *times]),
        active_at=max([row.active_at, *times]),
        events=row.events + len(events),
        calls=(row.calls or 0) + sum(one.requests for one in counts),
        errors=row.errors + sum(one.failed for one in counts) + sum(event.type == "error" and event.span_id is None for event in events),
        tokens=row.tokens + sum(event.usage.given + event.usage.completion for event in events),
        asked=row.asked or next((_asked(event) for event in events if event.type == "user_message"), ""),
        tools=tuple(dict.fromkeys([*row.tools, *(event.tool for event in events if event.tool)])),
        waiting=len(events),
    )


def _asked(event: RecordedEvent, calls: int = 0) -> str:
    return asked_text(event, calls)[:_MOST_OF_A_MESSAGE]
