"""Text that a terminal can be shown."""

from __future__ import annotations

import pytest

from whyops._printable import printable
from whyops._views.text import cut, width_of, wrapped


@pytest.mark.parametrize(
    "text, expected",
    [
        ("plain", "plain"),
        ("Grüße, 東京 👍", "Grüße, 東京 👍"),
        ("a\nb\tc\rd", "a\\nb    c\\rd"),
        ("\x00\x1b\x7f\x9b", "\\x00\\x1b\\x7f\\x9b"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("no\u00a0break", "no break"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("a\u200db", "a\\u200db"),
        ("answer\u200b" + "\u200c\u200d" * 36 + "\u200e", "answer<74 invisible characters>"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    """What does something on a terminal is shown as an escape; all else stays."""
    assert printable(text) == expected


def test_what_the_encoding_cannot_say() -> None:
    """A character that the stream has no code for is shown as an escape, so that writing never fails."""
    assert printable("Grüße 東", "latin-1") == "Grüße \\u6771"
    assert printable("Grüße", "ascii") == "Gr\\xfc\\xdfe"


@pytest.mark.parametrize("text, width", [("abc", 3), ("東京", 4), ("e\u0301", 1), ("👍", 2), ("", 0), ("ﾊﾝ", 2)])
def test_width(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert width_of(text) == width


@pytest.mark.parametrize(
    "text, width, expected",
    [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("東京都庁", 6, "東京…"), ("ab cdef", 4, "ab…"), ("abc", 1, "…"), ("abc", 0, "")],
)
def test_cut(text: str, width: int, expected: str) -> None:
    """What doesn't fit ends in an ellipsis, and never takes more room than given."""
    assert cut(text, width) == expected


@pytest.mark.parametrize(
    "text, width, expected",
    [
        ("", 10, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a bcdefghij", 4, ["a bc", "defg", "hij"]),
        ("東京都庁", 5, ["東京", "都庁"]),
        ("東京", 0, ["東", "京"]),
    ],
)
def test_wrapped(text: str, width: int, expected: list[str]) -> None:
    """Lines break at blanks, and within words that are too long for a line."""
    assert list(wrapped(text, width)) == expected
