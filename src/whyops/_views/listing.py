"""Several traces → a table, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Protocol

from .event import RecordedEvent, microseconds
from .paint import Line, Piece, glyphs_for, painted
from .steps import UserMessage
from .text import cut, printable, width_of
from .words import content_text, duration_text

__all__ = ["ListedTrace", "Summary", "render_list"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_OF_A_MESSAGE = 1000
_GAP = 2


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
            calls=summary.calls,
            errors=summary.errors,
            tokens=summary.tokens_in + summary.tokens_out,
            asked=_asked(summary.opening),
        )


@dataclass(frozen=True)
class _Column:
    """A column of the table. For want of room it shrinks to `least` columns; then it goes, those of a low `goes` first, 0 never."""

    title: str
    cells: Sequence[str]
    style: str = ""
    right: bool = False
    least: int | None = None
    goes: int = 0

    @property
    def width(self) -> int:
        return max(map(width_of, (self.title, *self.cells)))


def render_list(
    traces: Sequence[ListedTrace],
    total: int,
    *,
    width: int | None,
    color: bool,
    now: float,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
) -> str:
    """Return the table, in the order given, at most `width` columns wide; without a width nothing is cut, and times are written out.

    `total` is the number of traces there are, `now` is in seconds since 1970; times are shown in `zone`, the machine's own if None.
    """
    glyphs = glyphs_for(encoding)
    columns = _fitted(_columns(traces, width is None, now, encoding, zone), width)
    lines = list(_lines(columns, len(traces), glyphs.ellipsis))
    if width is not None and total > len(traces):
        lines += [Line(), Line([Piece(f"{len(traces):,} of {total:,} traces; --all shows all", "dim")])]
    return painted(lines, width=width or 1_000_000, color=color, ellipsis=glyphs.ellipsis)


def _columns(traces: Sequence[ListedTrace], written_out: bool, now: float, encoding: str, zone: tzinfo | None) -> list[_Column]:  # noqa: FBT001
    def cells(get: Callable[[ListedTrace], str | None]) -> list[str]:
        return [printable(get(trace) or "", encoding) for trace in traces]

    def when(trace: ListedTrace) -> str:
        return _when(trace.active_at, now, zone, written_out)

    columns = [
        _Column("TRACE", cells(lambda trace: trace.trace_id), "bold", least=16),
        _Column("WHEN", cells(when), "dim"),
        _Column("AGENT", cells(lambda trace: trace.agent_name), least=8, goes=4),
        _Column("USER", cells(lambda trace: trace.external_user_id), least=8, goes=5),
        _Column("TOOLS", cells(lambda trace: f"{trace.calls:,}"), right=True, goes=6),
        _Column("ERR", cells(lambda trace: f"{trace.errors:,}" if trace.errors else ""), "bad", right=True),
        _Column("TOKENS", cells(lambda trace: f"{trace.tokens:,}" if trace.tokens else ""), "dim", right=True, goes=3),
        _Column("TOOK", cells(lambda trace: duration_text(trace.duration_ms)), "dim", right=True, goes=2),
        _Column("ASKED", cells(lambda trace: " ".join(trace.asked.split())), least=12, goes=1),
    ]
    if not written_out and len({trace.agent_name for trace in traces}) <= 1:
        columns = [column for column in columns if column.title != "AGENT"]
    return [column for column in columns if any(column.cells) or column.title in ("TRACE", "WHEN") or written_out]


def _fitted(columns: Sequence[_Column], width: int | None) -> list[tuple[_Column, int]]:
    """Give each column its width: from the right, those that can shrink do, and then columns go."""
    kept = [(column, column.width) for column in columns]
    if width is None:
        return kept
    for index in reversed(range(len(kept))):
        column, taken = kept[index]
        if column.least is not None:
            least = min(taken, max(column.least, width_of(column.title)))
            kept[index] = (column, min(taken, max(least, taken - _excess(kept, width))))
    for going in sorted((column for column in columns if column.goes), key=lambda column: column.goes):
        if _excess(kept, width) > 0:
            kept = [(column, taken) for column, taken in kept if column is not going]
    return _grown(kept, -_excess(kept, width))


def _excess(columns: Sequence[tuple[_Column, int]], width: int) -> int:
    return sum(taken + _GAP for _, taken in columns) - _GAP - width


def _grown(kept: list[tuple[_Column, int]], room: int) -> list[tuple[_Column, int]]:
    """Give room that is left, once a column went, to those that were cut."""
    grown = []
    for column, taken in kept:
        more = max(min(column.width - taken, room), 0)
        room -= more
        grown.append((column, taken + more))
    return grown


def _lines(columns: Sequence[tuple[_Column, int]], count: int, ellipsis: str) -> Iterator[Line]:
    yield Line(_row([(column.title, column, taken) for column, taken in columns], ellipsis, "dim"))
    for index in range(count):
        yield Line(_row([(column.cells[index], column, taken) for column, taken in columns], ellipsis))


def _row(cells: Sequence[tuple[str, _Column, int]], ellipsis: str, style: str | None = None) -> list[Piece]:
    pieces = []
    for index, (cell, column, taken) in enumerate(cells):
        text = cut(cell, taken, ellipsis)
        fill = " " * (taken - width_of(text))
        gap = " " * _GAP if index else ""
        pieces.append(Piece(gap + (fill if column.right else "")))
        pieces.append(Piece(text, column.style if style is None else style))
        pieces.append(Piece("" if column.right else fill))
    return pieces


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
