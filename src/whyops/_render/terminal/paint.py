"""Lines made of styled pieces → text, with colour or without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .width import cut, width_of

_CODES = {
    "": "",
    "bold": "1",
    "dim": "2",
    "user": "1;36",
    "model": "1;35",
    "tool": "1;33",
    "thinking": "2;3",
    "bad": "1;31",
    "bad text": "31",
    "warn": "33",
    "good": "32",
    "bar": "36",
}


@dataclass(frozen=True)
class Glyphs:
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
    """Return the drawing characters that an encoding can say."""
    try:
        "├─└│→✗…·▏█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def bar_text(share: float, width: int, bars: str) -> str:
    """Return a bar that takes a share (0 to 1) of the width; the smallest share is seen, too."""
    steps = len(bars)
    filled = max(round(share * width * steps), 1 if share > 0 else 0)
    whole, part = divmod(min(filled, width * steps), steps)
    return bars[-1] * whole + (bars[part - 1] if part else "")


@dataclass(frozen=True)
class Piece:
    """A printable text in a style."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Line:
    """Pieces from the left, and a note at the right edge that is kept whole where there is room for both."""

    pieces: Sequence[Piece] = ()
    note: Sequence[Piece] = ()


_LEAST_LEFT = 12


def painted(lines: Iterable[Line], *, width: int, color: bool, ellipsis: str) -> str:
    """Set the lines `width` columns wide, cutting what is too long."""
    return "".join(f"{_set(line, width, ellipsis, color=color)}\n" for line in lines)


def _set(line: Line, width: int, ellipsis: str, *, color: bool) -> str:
    note = line.note
    room = width - _width(note) - 2 if note else width
    if room < min(_LEAST_LEFT, _width(line.pieces)):
        note, room = (), width
    left = _fitted(line.pieces, room, ellipsis)
    if not note:
        return _colored(left, color=color).rstrip()
    gap = Piece(" " * (width - _width(left) - _width(note)))
    return _colored([*left, gap, *note], color=color).rstrip()


def _fitted(pieces: Sequence[Piece], room: int, ellipsis: str) -> list[Piece]:
    fitted: list[Piece] = []
    for index, piece in enumerate(pieces):
        length = width_of(piece.text)
        rest = sum(width_of(later.text) for later in pieces[index + 1 :])
        if length > room or (rest > 0 and length == room):
            fitted.append(Piece(cut(piece.text + ("  " if rest else ""), room, ellipsis), piece.style))
            break
        fitted.append(piece)
        room -= length
    return fitted


def _width(pieces: Iterable[Piece]) -> int:
    return sum(width_of(piece.text) for piece in pieces)


def _colored(pieces: Iterable[Piece], *, color: bool) -> str:
    if not color:
        return "".join(piece.text for piece in pieces)
    return "".join(f"\x1b[{code}m{piece.text}\x1b[0m" if (code := _CODES[piece.style]) and piece.text else piece.text for piece in pieces)
