"""Several traces → a table, one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Protocol

from ..._printable import printable
from ..._trace.steps import UserMessage
from ..._wire.read import RecordedEvent, microseconds
from ..format import content_text, duration_text
from .paint import Line, Piece, glyphs_for, painted
from .table import Column, table

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_OF_A_MESSAGE = 1000


class Summary(Protocol):
    """What a list must know about a trace. Times are ISO 8601; `opening` is the first user message's event."""

    @property
    def trace_id(self) -> str: ...
    @property
    def agent_name(self) -> str | None: ...
    @property
    def external_user_id(self) -> str | None: ...
    @property
    def started_at(self) -> str: ...
    @property
    def active_at(self) -> str: ...
    @property
    def events(self) -> int: ...
    @property
    def calls(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def tokens_in(self) -> int: ...
    @property
    def tokens_out(self) -> int: ...
    @property
    def opening(self) -> Mapping[str, object] | None: ...


@dataclass(frozen=True)
class ListedTrace:
    """One line of the list. `active_at` is in microseconds since 1970, `asked` how the user began."""

    trace_id: str
    agent_name: str | None
    external_user_id: str | None
    active_at: int | None
    duration_ms: float
    events: int
    calls: int
    errors: int
    tokens: int
    asked: str

    @classmethod
    def of(cls, summary: Summary) -> ListedTrace:
        """Take what the store tells about a trace."""
        started, active = microseconds(summary.started_at), microseconds(summary.active_at)
        return cls(
            trace_id=summary.trace_id,
            agent_name=summary.agent_name,
            external_user_id=summary.external_user_id,
            active_at=active,
            duration_ms=0.0 if started is None or active is None else (active - started) / 1000,
            events=summary.events,
            calls=summary.calls,
            errors=summary.errors,
            tokens=summary.tokens_in + summary.tokens_out,
            asked=_asked(summary.opening),
        )


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
    lines = table(_columns(traces, width is None, now, encoding, zone), width, glyphs.ellipsis)
    if width is not None and total > len(traces):
        more = "" if next_page is None else f": --page {next_page} shows the next, --all all"
        lines += [Line(), Line([Piece(f"{len(traces):,} of {total:,} traces{more}", "dim")])]
    return painted(lines, width=width or 1_000_000, color=color, ellipsis=glyphs.ellipsis)


def _columns(traces: Sequence[ListedTrace], written_out: bool, now: float, encoding: str, zone: tzinfo | None) -> list[Column]:  # noqa: FBT001
    def cells(get: Callable[[ListedTrace], str | None]) -> list[str]:
        return [printable(get(trace) or "", encoding) for trace in traces]

    def when(trace: ListedTrace) -> str:
        return _when(trace.active_at, now, zone, written_out)

    columns = [
        Column("TRACE", cells(lambda trace: trace.trace_id), "bold", least=16),
        Column("WHEN", cells(when), "dim"),
        Column("AGENT", cells(lambda trace: trace.agent_name), least=8, goes=5),
        Column("USER", cells(lambda trace: trace.external_user_id), least=8, goes=6),
        Column("EVENTS", cells(lambda trace: f"{trace.events:,}"), "dim", right=True, goes=1),
        Column("TOOLS", cells(lambda trace: f"{trace.calls:,}"), right=True, goes=7),
        Column("ERR", cells(lambda trace: f"{trace.errors:,}" if trace.errors else ""), "bad", right=True),
        Column("TOKENS", cells(lambda trace: f"{trace.tokens:,}" if trace.tokens else ""), "dim", right=True, goes=4),
        Column("TOOK", cells(lambda trace: duration_text(trace.duration_ms or None)), "dim", right=True, goes=3),
        Column("ASKED", cells(lambda trace: " ".join(trace.asked.split())), least=12, goes=2),
    ]
    if not written_out and len({trace.agent_name for trace in traces}) <= 1:
        columns = [column for column in columns if column.title != "AGENT"]
    return [column for column in columns if any(column.cells) or column.title in ("TRACE", "WHEN") or written_out]


def _when(moment: int | None, now: float, zone: tzinfo | None, written_out: bool) -> str:  # noqa: FBT001
    if moment is None:
        return ""
    try:
        then = (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)
        today = (_EPOCH + timedelta(seconds=now)).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return ""
    if written_out:
        return f"{then:%Y-%m-%d %H:%M:%S}"
    if then.date() == today.date():
        return f"{then:%H:%M:%S}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then:%Y-%m-%d}"


def _asked(opening: Mapping[str, object] | None) -> str:
    if opening is None:
        return ""
    return content_text(UserMessage((RecordedEvent(opening),)).asked.content)[:_MOST_OF_A_MESSAGE]
