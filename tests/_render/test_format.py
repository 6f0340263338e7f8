"""Values, times and counts in words."""

from __future__ import annotations

from datetime import timezone

import pytest

from whyops._printable import counted
from whyops._render.format import arguments_text, content_text, duration_text, pretty, time_text, usage_facts, value_text
from whyops._wire.used import Usage


@pytest.mark.parametrize(
    "milliseconds, expected",
    [
        (None, ""),
        (0, "<0.1 ms"),
        (0.0314, "<0.1 ms"),
        (0.314, "0.3 ms"),
        (0.25, "0.2 ms"),
        (1.26, "1.3 ms"),
        (2, "2 ms"),
        (88.4, "88 ms"),
        (999.4, "999 ms"),
        (999.7, "1.00 s"),
        (1210, "1.21 s"),
        (33_000, "33.0 s"),
        (125_000, "2 min 5 s"),
        (3_780_000, "1 h 3 min"),
        (1e15, "277,777,777 h 46 min"),
    ],
)
def test_durations(milliseconds: float | None, expected: str) -> None:
    """A length of time is told in the unit that reads best."""
    assert duration_text(milliseconds) == expected


def test_arguments_read_as_a_call() -> None:
    """Arguments by name, as one would write them."""
    assert arguments_text({"a": 1, "b": "ü", "c": None}) == 'a=1, b="ü", c=null'
    assert arguments_text([1]) == "[1]"
    assert arguments_text(None) == ""


@pytest.mark.parametrize(
    "content, expected",
    [
        ("text", "text"),
        (None, ""),
        ([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": "…"}, "so?"], "What is this?\n[image_url]\nso?"),
        ([{"x": 1}], "[part]"),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, '{"a": 1}'),
        ([], "[]"),
    ],
)
def test_contents(content: object, expected: str) -> None:
    """A message's content is its text; a part that is none has a word in brackets."""
    assert content_text(content) == expected


def test_pretty_breaks_only_what_is_too_wide() -> None:
    """JSON over several lines keeps together what fits on one."""
    value = {"id": 1, "items": [{"sku": "mug", "price": 12.5}, {"sku": "lamp", "price": 40}], "none": []}
    assert pretty(value, 44).splitlines() == [
        "{",
        '  "id": 1,',
        '  "items": [',
        '    {"sku": "mug", "price": 12.5},',
        '    {"sku": "lamp", "price": 40}',
        "  ],",
        '  "none": []',
        "}",
    ]
    assert pretty("text\nas it is", 4) == "text\nas it is"


def test_values_that_json_cannot_say() -> None:
    """A value that is no JSON has words all the same."""
    loop: list[object] = []
    loop.append(loop)
    assert value_text(loop) == "(a value that can't be shown)"
    assert value_text({1, 2}) == '"{1, 2}"'
    assert value_text({("a",): 1}) == "(a value that can't be shown)"


@pytest.mark.parametrize("moment", [None, 10**30, -(10**30)])
def test_a_moment_that_is_none(moment: int | None) -> None:
    """What is no moment of this world is told as nothing."""
    assert time_text(moment, timezone.utc) == ""


@pytest.mark.parametrize(
    "usage, expected",
    [
        (Usage(), []),
        (Usage(1200, 16), ["1,200 in", "16 out"]),
        (Usage(2, 16, 1000, 24), ["2+1,024 in", "16 out"]),
        (Usage(unsplit=3), ["3 tokens"]),
    ],
)
def test_usage(usage: Usage, expected: list[str]) -> None:
    """Tokens in and out, cached ones behind a plus."""
    assert usage_facts(usage) == expected


def test_counted() -> None:
    """One is told from several."""
    assert [counted(number, "call") for number in (0, 1, 2000)] == ["0 calls", "1 call", "2,000 calls"]
