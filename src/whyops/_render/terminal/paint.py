"""Lines made of styled pieces → text, with colour or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..._printable import printable
from .width import cut, is_narrow, width_of, wrapped

_CODES = {
    "": "",
    "bold": "1",
    "dim": "2",
    "user": "1;36",
    "actor": "1;34",
    "model": "1;35",
    "tool": "1;33",
    "thinking": "2;3",
    "bad": "1;31",
    "bad text": "31",
    "warn": "33",
    "good": "32",
    "bar": "36",
}


class Glyphs(NamedTuple):
    """The characters that a view draws with."""

    branch: str
    last: str
    pipe: str
    blank: str
    arrow: str
    cross: str
    ellipsis: str
    dot: str
    bars: str
    """From the shortest bar to a full column."""


UNICODE = Glyphs("├─ ", "└─ ", "│  ", "   ", arrow="→", cross="✗", ellipsis="…", dot="·", bars="▏▎▍▌▋▊▉█")
ASCII = Glyphs("|- ", "`- ", "|  ", "   ", arrow="->", cross="x", ellipsis="...", dot="-", bars="#")


def glyphs_for(encoding: str) -> Glyphs:
    """Return the drawing characters that an encoding can represent."""
    try:
        "├─└│→✗…·▏█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def paragraph(text: str, style: str, width: int, margin: str, encoding: str) -> Iterator[Line]:
    """Yield a text of unknown origin as lines of at most `width` columns, each behind the margin."""
    for line in wrapped(printable(text, encoding), width - len(margin)):
        yield Line([Piece(margin), Piece(line, style)])


def bar_text(share: float, width: int, bars: str) -> str:
    """Return a bar that takes a share (0 to 1) of the width; the smallest share is seen, too."""
    steps = len(bars)
    filled = max(round(share * width * steps), 1 if share > 0 else 0)
    whole, part = divmod(min(filled, width * steps), steps)
    return bars[-1] * whole + (bars[part - 1] if part else "")


class Piece(NamedTuple):
    """A printable text in a style. A tuple of the two will do where there are many: it is made in a tenth of the time."""

    text: str
    style: str = ""


Pieces = Sequence[tuple[str, str]]
"""Texts from left to right, each with its style."""


class Line(NamedTuple):
    """Pieces from the left, and a note at the right edge that is kept whole where there is room for both.

    `hanging` stands before what goes on below, where the line is unfolded.
    """

    pieces: Pieces = ()
    note: Pieces = ()
    hanging: tuple[str, str] = Piece("")


_LEAST_LEFT = 12


def total_width(pieces: Iterable[tuple[str, str]]) -> int:
    """Return how many columns pieces take side by side."""
    return sum([width_of(text) for text, _ in pieces])


def painted(lines: Iterable[Line], *, width: int, color: bool, ellipsis: str) -> str:
    """Set the lines `width` columns wide, cutting what is too long."""
    return "".join(f"{_set(line, width, ellipsis, color=color)}\n" for line in lines)


def unfolded(line: Line, width: int) -> Iterator[Line]:
    """Yield the line as one or several, so that nothing is cut: its pieces continue below, its note stands alone if there is no room."""
    pieces: list[tuple[str, str]] = []
    hanging = line.hanging if width_of(line.hanging[0]) <= width - _LEAST_LEFT else Piece("")
    below = width - width_of(hanging[0])
    room = width
    for text, style in line.pieces:
        for index, part in enumerate(_parts(text, room, below)):
            if index:
                yield Line(pieces)
                pieces, room = [hanging], below
            pieces.append((part, style))
            room -= width_of(part)
    fits = line.note and width - room + 2 + total_width(line.note) <= width
    yield Line(pieces, line.note if fits else ())
    if line.note and not fits:
        yield Line([hanging], line.note)


def _parts(text: str, room: int, below: int) -> Iterator[str]:
    """Yield the parts of a text of which the first has `room` columns, and each other as many as there are `below`."""
    if width_of(text) <= room:
        yield text
        return
    first = next(wrapped(text, room)) if room >= _LEAST_LEFT else ""
    yield first
    yield from wrapped(text[len(first) :].lstrip(), below)


def _set(line: Line, width: int, ellipsis: str, *, color: bool) -> str:
    pieces, note, _ = line
    left, right = _text(pieces), _text(note) if note else ""
    blanks = width - len(left) - len(right)
    if blanks >= (2 if note else 0) and is_narrow(left) and is_narrow(right):  # of nearly all lines
        pad = " " * blanks if note else ""
        return (f"{_colored(pieces)}{pad}{_colored(note)}" if color else left + pad + right).rstrip()
    return _set_by_width(line, width, ellipsis, color=color)


def _set_by_width(line: Line, width: int, ellipsis: str, *, color: bool) -> str:
    note = line.note
    room = width - total_width(note) - 2 if note else width
    if room < _LEAST_LEFT and room < total_width(line.pieces):
        note, room = (), width
    shown = _fitted(line.pieces, room, ellipsis)
    if note:
        shown += [Piece(" " * (width - total_width(shown) - total_width(note))), *note]
    return (_colored(shown) if color else _text(shown)).rstrip()


def _fitted(pieces: Pieces, room: int, ellipsis: str) -> list[tuple[str, str]]:
    rest = total_width(pieces)
    if rest <= room:
        return [*pieces]
    fitted: list[tuple[str, str]] = []
    for text, style in pieces:
        length = width_of(text)
        rest -= length
        if length > room or (rest > 0 and length == room):
            return [*fitted, (cut(text + ("  " if rest else ""), room, ellipsis), style)]
        fitted.append((text, style))
        room -= length
    return fitted


def _text(pieces: Pieces) -> str:
    return "".join([text for text, _ in pieces])


def _colored(pieces: Pieces) -> str:
    return "".join([f"\x1b[{code}m{text}\x1b[0m" if text and (code := _CODES[style]) else text for text, style in pieces])
