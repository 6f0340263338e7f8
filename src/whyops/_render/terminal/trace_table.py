"""Several traces → a table, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone, tzinfo
from itertools import chain
from typing import NamedTuple

from ..._printable import printable
from ..format import duration_text, local_time
from .paint import Line, Piece, glyphs_for, painted
from .table import Column, table

_TO_SECONDS = len("2026-11-20 12:34:56")


class ListedTrace(NamedTuple):
    """One line of the list. `active_at` is in microseconds since 1970, `asked` the user's first message; `calls` None is not known."""

    trace_id: str
    agent_name: str | None
    external_user_id: str | None
    active_at: int | None
    duration_ms: float
    events: int
    calls: int | None
    errors: int
    tokens: int
    asked: str

    def data(self) -> dict[str, object]:
        """Return it in JSON types, under the names of `whyops show --json`; what is not known is null. Times are ISO 8601 in UTC."""
        is_known = self.calls is not None  # the service's list does not tell of what happened in a trace
        active = local_time(self.active_at, timezone.utc)
        return {
            "traceId": self.trace_id,
            "agentName": self.agent_name,
            "externalUserId": self.external_user_id,
            "lastActiveAt": None if active is None else f"{active:%Y-%m-%dT%H:%M:%S.%fZ}",
            "durationMs": self.duration_ms,
            "events": self.events,
            "toolCalls": self.calls,
            "errors": self.errors if is_known else None,
            "tokens": self.tokens if is_known else None,
            "asked": self.asked if is_known else None,
        }


def render_list(
    traces: Sequence[ListedTrace],
    total: int,
    *,
    width: int | None,
    color: bool,
    now: float,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
    next_page: int | None = None,
) -> str:
    """Return the table, in the order given, at most `width` columns wide; without a width nothing is cut, and times are written out.

    `total` is the number of traces there are, `next_page` what follows these, `now` is in seconds since 1970; times are shown in `zone`,
    the machine's own if None.
    """
    glyphs = glyphs_for(encoding)
    lines = table(_columns(traces, now, encoding, zone, written_out=width is None), width, glyphs.ellipsis, color=color)
    below: tuple[Line, ...] = ()
    if width is not None and total > len(traces):
        more = "" if next_page is None else f": --page {next_page} shows the next, --all all"
        below = Line(), Line([Piece(f"{len(traces):,} of {total:,} traces{more}", "dim")])
    return painted(chain(lines, below), width=width or 1_000_000, color=color, ellipsis=glyphs.ellipsis)


def _columns(traces: Sequence[ListedTrace], now: float, encoding: str, zone: tzinfo | None, *, written_out: bool) -> list[Column]:
    def cells(get: Callable[[ListedTrace], str | None]) -> list[str]:
        return [printable(get(trace) or "", encoding) for trace in traces]

    today = local_time(int(now * 1_000_000), zone)
    columns = [
        Column("TRACE", cells(lambda trace: trace.trace_id), "bold", least=16),
        Column("WHEN", cells(lambda trace: _when(local_time(trace.active_at, zone), today, written_out=written_out)), "dim"),
        Column("AGENT", cells(lambda trace: trace.agent_name), least=8, goes=5),
        Column("USER", cells(lambda trace: trace.external_user_id), least=8, goes=6),
        Column("EVENTS", cells(lambda trace: f"{trace.events:,}"), "dim", right=True, goes=1),
        Column("TOOLS", cells(lambda trace: "" if trace.calls is None else f"{trace.calls:,}"), right=True, goes=7),
        Column("ERR", cells(lambda trace: f"{trace.errors:,}" if trace.errors else ""), "bad", right=True),
        Column("TOKENS", cells(lambda trace: f"{trace.tokens:,}" if trace.tokens else ""), "dim", right=True, goes=4),
        Column("TOOK", cells(lambda trace: duration_text(trace.duration_ms or None)), "dim", right=True, goes=3),
        Column("ASKED", cells(lambda trace: " ".join(trace.asked.split())), least=12, goes=2),
    ]
    if not written_out and len({trace.agent_name for trace in traces}) <= 1:
        columns = [column for column in columns if column.title != "AGENT"]
    return [column for column in columns if any(column.cells) or column.title in ("TRACE", "WHEN") or written_out]


def _when(then: datetime | None, today: datetime | None, *, written_out: bool) -> str:
    if then is None or today is None:
        return ""
    if written_out:
        return then.isoformat(" ", "seconds")[:_TO_SECONDS]
    if then.date() == today.date():
        return f"{then:%H:%M:%S}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then:%Y-%m-%d}"
