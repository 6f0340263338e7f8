"""How wide texts are, and how they are made to fit."""

from __future__ import annotations

import pytest

from whyops._render.terminal.width import cut, width_of, wrapped


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
