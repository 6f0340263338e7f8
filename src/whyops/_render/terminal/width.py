"""How wide a printable text is on a terminal, and how it is made to fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_ZERO_WIDTH = {"Mn", "Me", "Cf"}
_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_FLAG_LETTERS = ("\U0001f1e6", "\U0001f1ff")
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_VOWELS_AND_ENDS = ("\u1160", "\u11ff")
"""Korean letters that stand in the box of the one before them."""
_ALPHABETIC_EMOJI = "\u2139"
_SHORT = 40
_JOINS = re.compile(f"[{_JOINER}{_AS_EMOJI}{'-'.join(_FLAG_LETTERS)}{'-'.join(_SKIN_TONES)}]")
"""What makes one sign of several characters; most texts have none of it."""
_NARROW = re.compile("[\0-\u02ff├─└│→✗…·▏▎▍▌▋▊▉█]*")
"""Texts of which each character takes one column: those of Latin scripts, and what the views draw with."""


def width_of(text: str) -> int:
    """Return how many columns a printable text takes: two for wide East Asian characters and emoji, none for combining ones.

    An emoji that is made of several takes two: joined ones, one with a skin tone, a flag; a sign that is shown as an emoji, too.
    """
    if is_narrow(text):
        return len(text)
    return _width_of_short(text) if len(text) <= _SHORT else _width_of_wide(text)


def is_narrow(text: str) -> bool:
    """Tell whether each character takes one column, whatever stands beside it."""
    return text.isascii() or _NARROW.fullmatch(text) is not None


def _width_of_wide(text: str) -> int:
    return sum(_added(text) if _JOINS.search(text) else map(_columns, text))


_width_of_short = lru_cache(maxsize=512)(_width_of_wide)
"""Guides, arrows and bars, which stand in line after line."""


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return the text, or as much of it as fits with the ellipsis behind it."""
    if width_of(text) <= width:
        return text
    kept, _ = _split(text, width - width_of(ellipsis))
    return kept.rstrip() + ellipsis if width >= width_of(ellipsis) else ""


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield printable lines no wider than `width` (at least 2), broken at blanks where there are any."""
    width = max(width, 2)
    if text.isascii():
        yield from wrapped_ascii(text, width)
        return
    while width_of(text) > width:
        line, rest = _split(text, width)
        blank = line.rfind(" ") if not rest.startswith(" ") else len(line)
        if blank > len(line) // 2:
            line, rest = text[:blank], text[blank:]
        yield line.rstrip()
        text = rest.lstrip()
    yield text.rstrip()


def wrapped_ascii(text: str, width: int, most: int | None = None) -> list[str]:
    """Return the first lines of a text in ASCII, as `wrapped` yields them; all of them, or at most so many."""
    lines: list[str] = []
    width = max(width, 2)
    start, size = 0, len(text)
    while len(lines) != most:
        end = start + width
        if end >= size:
            return [*lines, text[start:].rstrip()]
        blank = end if text[end] == " " else text.rfind(" ", start, end)
        end = blank if blank - start > width // 2 else end
        lines.append(text[start:end].rstrip())
        start = end
        while text[start : start + 1].isspace():
            start += 1
    return lines


def _split(text: str, width: int) -> tuple[str, str]:
    """Split where the first part takes at most `width` columns, but is not empty."""
    if text.isascii():
        return text[: max(width, 0)], text[max(width, 0) :]
    taken = 0
    for index, columns in enumerate(_added(text)):
        taken += columns
        if taken > width:
            return (text[:index], text[index:]) if index or width <= 0 else (text[:1], text[1:])
    return text, ""


def _added(text: str) -> Iterator[int]:
    """Yield how many columns each character adds to those before it; what belongs to another character adds none."""
    base = before = ""
    taken = 0
    for index, char in enumerate(text):
        columns = _columns(char)
        if columns:
            is_shown_as_emoji = text[index + 1 : index + 2] == _AS_EMOJI and _can_be_emoji(char)
            columns = 2 if is_shown_as_emoji or _is_in(char, _FLAG_LETTERS) else columns
            if _belongs(char, base, before):
                base = "" if _is_in(char, _FLAG_LETTERS) else base  # a third letter begins another flag
                columns = 1 if is_shown_as_emoji and taken == 1 else 0
                taken += columns
            else:
                base, taken = char, columns
        yield columns
        before = char


def _belongs(char: str, base: str, before: str) -> bool:
    """Tell whether a character is part of the sign that began with `base`: the rest of a flag, a skin tone, or joined to it."""
    if not base or base < "\u0300":
        return False
    if _is_in(char, _FLAG_LETTERS):
        return before == base and _is_in(base, _FLAG_LETTERS)
    if _is_in(char, _SKIN_TONES):
        return unicodedata.category(base) == "So"
    return before == _JOINER and unicodedata.category(base) == unicodedata.category(char) == "So"


def _can_be_emoji(char: str) -> bool:
    return not char.isalpha() or char == _ALPHABETIC_EMOJI


def _is_in(char: str, bounds: tuple[str, str]) -> bool:
    return bounds[0] <= char <= bounds[1]


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in _ZERO_WIDTH or _is_in(char, _VOWELS_AND_ENDS):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
