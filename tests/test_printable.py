"""Anybody's text, made fit to be shown."""

from __future__ import annotations

import pytest

from whyops._printable import printable, shortened, without_password, without_secret


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


@pytest.mark.parametrize(
    "text, shown", [("abc", "abc"), ("abcd", "abcd"), ("abcde", "abc…"), ("\x1b\x1b", "\\x1…"), ("", ""), ("\u202e" * 99, "\\u2…")]
)
def test_shortened(text: str, shown: str) -> None:
    """What comes out is bounded, also where escapes make more of it than went in."""
    assert shortened(text, 4) == shown


SECRET = "whyops_0123456789abcdefghij"


@pytest.mark.parametrize(
    "text, left",
    [
        ("nothing to hide", "nothing to hide"),
        (f"Bearer {SECRET}!", "Bearer [key]!"),
        (f"{SECRET}, {SECRET}", "[key], [key]"),
        (f"'{SECRET[:20]}", "'[key]"),
        (f"{SECRET[:15]}…", "[key]…"),
        ("whyops_other", "whyops_other"),
        (f"{SECRET}-2", "[key]-2"),
    ],
)
def test_a_secret_is_taken_out(text: str, left: str) -> None:
    """All of it, or as much of its beginning as tells it; a text without it stays."""
    assert without_secret(text, SECRET) == left
    assert without_secret(text, "") == text


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://me:hunter2@host/api", "https://host/api"),
        ("http://me@host", "http://host"),
        ("https://a@b:c@host:1/x@y", "https://host:1/x@y"),
        ("https://host/api?mail=a@b", "https://host/api?mail=a@b"),
        ("https://host#a@b", "https://host#a@b"),
        ("local", "local"),
        ("sink:7f@", "sink:7f@"),
    ],
)
def test_a_password_is_taken_out_of_an_address(url: str, shown: str) -> None:
    """Where one stands; all else of the address stays."""
    assert without_password(url) == shown
