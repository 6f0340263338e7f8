"""Values on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from whyops._cli._values import age, budget, count, moment, seconds, share, size


@pytest.mark.parametrize(
    "read, text, expected",
    [
        (count, "3", 3),
        (budget, "100", 100),
        (seconds, "0.5", 0.5),
        (age, " 1.5 h ", timedelta(hours=1.5)),
        (moment, "2026-11-20T12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=timezone.utc)),
        (size, "1.5MB", 1_500_000),
        (size, "7", 7),
        (share, "0.25", 0.25),
        (share, "1", 1.0),
        (share, "0", 0.0),
        (share, " 12.5 %", 0.125),
        (share, "100%", 1.0),
    ],
)
def test_what_is_accepted(read: Callable[[str], object], text: str, expected: object) -> None:
    """A value is read with its unit."""
    assert read(text) == expected


@pytest.mark.parametrize(
    "read, text",
    [
        (count, "0"),
        (count, "x"),
        (budget, "99"),
        (seconds, "0"),
        (seconds, "inf"),
        (seconds, "nan"),
        (age, "3 moons"),
        (moment, "yesterday"),
        (size, "a lot"),
        (share, "20"),
        (share, "101%"),
        (share, "-0.5"),
        (share, "nan"),
        (share, "half"),
    ],
)
def test_what_is_rejected(read: Callable[[str], object], text: str) -> None:
    """Anything else is an error that argparse reports."""
    with pytest.raises((ValueError, ArgumentTypeError)):
        read(text)
