"""Rows of cells → a table as wide as there is room: columns shrink, and those that matter least go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def is_ascii(self) -> bool:
        return self.title.isascii() and "".join(self.cells).isascii()

    @cached_property
    def width(self) -> int:
        return max(map(len if self.is_ascii else width_of, (self.title, *self.cells)))

    def padded(self, width: int, ellipsis: str) -> list[str]:
        """Return the cells, each as wide as that, cut or filled with blanks."""
        if self.is_ascii and self.width <= width:
            return [cell.rjust(width) for cell in self.cells] if self.right else [cell.ljust(width) for cell in self.cells]
        return ["".join(self.parts(cell, width, ellipsis)) for cell in self.cells]

    def parts(self, cell: str, width: int, ellipsis: str) -> tuple[str, str, str]:
        """Return what stands before a cell's text, the text, and what stands behind it."""
        text = cut(cell, width, ellipsis)
        fill = " " * (width - width_of(text))
        return (fill, text, "") if self.right else ("", text, fill)


def table(columns: Sequence[Column], width: int | None, ellipsis: str, *, color: bool) -> Iterator[Line]:
    """Yield the head of the table and its rows, at most `width` columns wide; without a width nothing is cut.

    Without `color` a row is one piece.
    """
    fitted = _fitted(columns, width)
    yield Line([*_row([column.title for column, _ in fitted], fitted, ellipsis, "dim")])
    if color:
        rows = zip(*(column.cells for column, _ in fitted), strict=True)
        yield from (Line([*_row(cells, fitted, ellipsis)]) for cells in rows)
    else:
        rows = zip(*(column.padded(taken, ellipsis) for column, taken in fitted), strict=True)
        yield from (Line([Piece((" " * _GAP).join(cells))]) for cells in rows)


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
    before = ""
    for cell, (column, taken) in zip(cells, columns, strict=True):
        fill, text, after = column.parts(cell, taken, ellipsis)
        yield Piece(before + fill)
        yield Piece(text, column.style if style is None else style)
        before = after + " " * _GAP
