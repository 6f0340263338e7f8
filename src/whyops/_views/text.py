"""Any text → text that a terminal can be shown, and its width there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["cut", "printable", "width_of", "wrapped"]

_INVISIBLE_RUN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]{4,}")
_JOINERS = "\u200c\u200d"
_ZERO_WIDTH = {"Mn", "Me", "Cf"}
_LAST_OF_ONE_BYTE = 0xFF
_LAST_OF_TWO_BYTES = 0xFFFF


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""Return one line that shows `text` and does nothing else.

    Control, escape and direction characters, and what `encoding` can't say, become visible escapes such as `\x1b`; a line feed among
    them. Longer runs of invisible characters, as the proxy hides its signature in, are only counted.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE_RUN.sub(lambda run: f"<{len(run[0])} invisible characters>", text)
    if not text.isprintable():
        text = "".join(_shown(text))
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _shown(text: str) -> Iterator[str]:
    before = ""
    for char in text:
        if char.isprintable() or (char in _JOINERS and before > "\x7f"):  # joined emoji and scripts that need the joiner
            yield char
        elif char == "\t":
            yield "    "
        elif unicodedata.category(char) == "Zs":
            yield " "
        else:
            yield _escape(char)
        before = char


def _escape(char: str) -> str:
    known = {"\n": "\\n", "\r": "\\r"}.get(char)
    if known is not None:
        return known
    number = ord(char)
    if number <= _LAST_OF_ONE_BYTE:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _LAST_OF_TWO_BYTES else f"\\U{number:08x}"


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
