"""Rows of cells → a table as wide as there is room: columns shrink, and those that matter least go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .paint import Line, Piece
from .width import cut, width_of

_GAP = 2


@dataclass(frozen=True)
class Column:
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


def table(columns: Sequence[Column], width: int | None, ellipsis: str) -> list[Line]:
    """Return the head of the table and its rows, at most `width` columns wide; without a width nothing is cut."""
    fitted = _fitted(columns, width)
    head = Line([*_row([column.title for column, _ in fitted], fitted, ellipsis, "dim")])
    return [head, *(Line([*_row(cells, fitted, ellipsis)]) for cells in zip(*(column.cells for column, _ in fitted), strict=False))]


def _fitted(columns: Sequence[Column], width: int | None) -> list[tuple[Column, int]]:
    """Give each column its width: from the right, those that can shrink do, and then columns go."""
    kept = [(column, column.width) for column in columns]
    if width is None:
        return kept
    for index in reversed(range(len(kept))):
        column, taken = kept[index]
        if column.least is not None:
            kept[index] = (column, min(taken, max(column.least, width_of(column.title), taken - _excess(kept, width))))
    for going in sorted((column for column in columns if column.goes), key=lambda column: column.goes):
        if _excess(kept, width) > 0:
            kept = [(column, taken) for column, taken in kept if column is not going]
    return _grown(kept, -_excess(kept, width))


def _excess(columns: Sequence[tuple[Column, int]], width: int) -> int:
    return sum(taken + _GAP for _, taken in columns) - _GAP - width


def _grown(kept: list[tuple[Column, int]], room: int) -> list[tuple[Column, int]]:
    """Give room that is left, once a column went, to those that were cut."""
    grown = []
    for column, taken in kept:
        more = max(min(column.width - taken, room), 0)
        room -= more
        grown.append((column, taken + more))
    return grown


def _row(cells: Sequence[str], columns: Sequence[tuple[Column, int]], ellipsis: str, style: str | None = None) -> Iterator[Piece]:
    gap = ""
    for cell, (column, taken) in zip(cells, columns, strict=True):
        text = cut(cell, taken, ellipsis)
        fill = " " * (taken - width_of(text))
        yield Piece(gap + (fill if column.right else ""))
        yield Piece(text, column.style if style is None else style)
        yield Piece("" if column.right else fill)
        gap = " " * _GAP
