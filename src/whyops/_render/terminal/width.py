"""How wide a printable text is on a terminal, and how it is made to fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_ZERO_WIDTH = {"Mn", "Me", "Cf"}


def width_of(text: str) -> int:
    """Return how many columns a printable text takes: two for wide East Asian characters and emoji, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return the text, or as much of it as fits with the ellipsis behind it."""
    if width_of(text) <= width:
        return text
    kept, _ = _split(text, width - width_of(ellipsis))
    return kept.rstrip() + ellipsis if width >= width_of(ellipsis) else ""


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield printable lines no wider than `width` (at least 2), broken at blanks where there are any."""
    width = max(width, 2)
    while width_of(text) > width:
        line, rest = _split(text, width)
        blank = line.rfind(" ") if not rest.startswith(" ") else len(line)
        if blank > len(line) // 2:
            line, rest = text[:blank], text[blank:]
        yield line.rstrip()
        text = rest.lstrip()
    yield text.rstrip()


def _split(text: str, width: int) -> tuple[str, str]:
    """Split where the first part takes at most `width` columns, but is not empty."""
    taken = 0
    for index, char in enumerate(text):
        taken += _columns(char)
        if taken > width:
            return (text[:index], text[index:]) if index or width <= 0 else (text[:1], text[1:])
    return text, ""


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
