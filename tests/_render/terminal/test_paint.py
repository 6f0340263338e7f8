"""Lines, with colour or without."""

from __future__ import annotations

import pytest

from whyops._render.terminal.paint import ASCII, UNICODE, Line, Piece, glyphs_for, painted, unfolded


def set_line(line: Line, width: int = 20, *, color: bool = False) -> str:
    return painted([line], width=width, color=color, ellipsis="…").rstrip("\n")


def test_the_note_is_at_the_right_edge() -> None:
    """Text at the left, note at the right, however wide the line."""
    assert set_line(Line([Piece("left")], [Piece("note")])) == "left            note"


@pytest.mark.parametrize(
    "text, width, expected",
    [
        ("a long text at the left", 20, "a long text a…  note"),
        ("a long text at the left", 16, "a long text at…"),
        ("short", 11, "short  note"),
        ("short", 10, "short"),
    ],
)
def test_the_text_is_cut_for_the_note_and_the_note_goes_last(text: str, width: int, expected: str) -> None:
    """The left gives way first, down to a dozen columns; then the note goes."""
    assert set_line(Line([Piece(text)], [Piece("note")]), width) == expected


@pytest.mark.parametrize(
    "texts, note, expected",
    [
        (["fits"], "note", ["fits            note"]),
        (["does not fit in", " twenty columns"], "", ["does not fit in", "| twenty columns"]),
        (["a" * 30], "", ["a" * 20, "| " + "a" * 10]),
        (["a" * 18], "note", ["a" * 18, "|               note"]),
        (["a" * 21], "note", ["a" * 20, "| a             note"]),
    ],
)
def test_an_unfolded_line_lacks_nothing(texts: list[str], note: str, expected: list[str]) -> None:
    """What has no room goes on below behind the guide, the note last; no line is too wide."""
    line = Line([Piece(text) for text in texts], [Piece(note)] if note else (), Piece("| "))
    assert [set_line(part) for part in unfolded(line, 20)] == expected


def test_colour_adds_no_width() -> None:
    """Colour changes nothing but colour."""
    line = Line([Piece("ab", "bad"), Piece("cd")], [Piece("x", "dim")])
    colored = set_line(line, color=True)
    assert colored == "\x1b[1;31mab\x1b[0mcd" + " " * 15 + "\x1b[2mx\x1b[0m"
    assert colored.replace("\x1b[1;31m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") == set_line(line)


@pytest.mark.parametrize(
    "encoding, expected", [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII), ("cp1252", ASCII), ("no such code", ASCII)]
)
def test_glyphs(encoding: str, expected: object) -> None:
    """A stream that can't say the drawing characters gets plain ones."""
    assert glyphs_for(encoding) is expected
