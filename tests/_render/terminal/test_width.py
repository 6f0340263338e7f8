"""How wide texts are, and how they are made to fit."""

from __future__ import annotations

import pytest

from whyops._render.terminal.width import cut, width_of, wrapped


@pytest.mark.parametrize("text, width", [("abc", 3), ("東京", 4), ("e\u0301", 1), ("👍", 2), ("", 0), ("ﾊﾝ", 2)])
def test_width(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert width_of(text) == width


@pytest.mark.parametrize(
    "text, width",
    [
        ("\u2764", 1),  # a heart as text
        ("\u2764\ufe0f", 2),  # and as an emoji
        ("\u260e\ufe0f", 2),
        ("\u2139\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),  # a key's cap
        ("\u231a\ufe0e", 2),  # a watch, wide also where it is to be text
        ("a\ufe0f", 1),  # a letter is no emoji
        ("\U0001f44d\U0001f3fd", 2),  # a thumb with a skin tone
        ("\U0001f3fd", 2),  # a skin tone alone
        ("\U0001f469\u200d\U0001f4bb", 2),  # a woman and a computer
        ("\U0001f469\U0001f3fd\u200d\U0001f4bb", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2),  # a family
        ("\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468", 2),  # a couple with a heart
        ("\U0001f3f3\ufe0f\u200d\U0001f308", 2),  # a rainbow flag
        ("\U0001f3f4\u200d\u2620\ufe0f", 2),
        ("\u26f9\U0001f3fd\u200d\u2640\ufe0f", 2),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", 2),  # a region's flag
        ("\U0001f1e9\U0001f1ea", 2),  # a country's
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4),  # two
        ("\U0001f1e9\U0001f1ea\U0001f1eb", 4),  # one, and half another
        ("\U0001f44d\U0001f44d", 4),
        ("\U0001f469\u200d a", 4),  # nothing is joined
        ("\u1112\u1161\u11ab", 2),  # a Korean syllable in letters
        ("\u0928\u094d\u200d\u0939", 2),  # Devanagari needs the joiner for its form
    ],
)
def test_signs_of_several_characters(text: str, width: int) -> None:
    """An emoji takes two columns, of however many characters it is made, as wcwidth 0.7 has it."""
    assert width_of(text) == width


@pytest.mark.parametrize("sign", ["\U0001f469\U0001f3fd\u200d\U0001f4bb", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f"])
def test_a_sign_is_not_cut_in_two(sign: str) -> None:
    """A line ends before an emoji that it has no room for, or behind it."""
    assert cut(sign * 3, 5) == sign * 2 + "…"
    assert list(wrapped(sign * 3, 5)) == [sign * 2, sign]


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
