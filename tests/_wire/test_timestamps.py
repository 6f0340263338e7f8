"""Time as an event carries it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from whyops._wire.timestamps import EventClock, stamp_of


def test_text_is_utc_with_six_digits():
    """A stamp has microseconds and ends in Z."""
    clock = EventClock()
    assert clock.text(0) == "1970-01-01T00:00:00.000000Z"
    assert clock.text(1_795_456_445_000_001_000) == "2026-11-23T17:54:05.000001Z"
    assert clock.text(1_795_456_445_999_999_999) == "2026-11-23T17:54:05.999999Z"
    assert clock.text(1_795_456_446_000_000_000) == "2026-11-23T17:54:06.000000Z"


@pytest.mark.parametrize(
    "value, stamp",
    [
        ("2026-11-23T18:00:00Z", "2026-11-23T18:00:00.000000Z"),
        ("2026-11-23T18:00:00z", "2026-11-23T18:00:00.000000Z"),
        ("2026-11-23T18:00:00.5+01:00", "2026-11-23T17:00:00.500000Z"),
        ("2026-11-23T18:00:00.123456789Z", "2026-11-23T18:00:00.123456Z"),
        ("2026-11-23 18:00:00", "2026-11-23T18:00:00.000000Z"),
        ("2026-11-23T18:00:00+00:00", "2026-11-23T18:00:00.000000Z"),
        (datetime(2026, 11, 23, 18, tzinfo=timezone(timedelta(hours=-5))), "2026-11-23T23:00:00.000000Z"),
        (datetime(2026, 11, 23, 18), "2026-11-23T18:00:00.000000Z"),  # noqa: DTZ001  (that is the case)
    ],
)
def test_a_callers_time_becomes_utc(value, stamp):
    """Any offset, or none, becomes the form with Z that the service takes."""
    assert stamp_of(value) == stamp


@pytest.mark.parametrize(
    "value", [None, "", "yesterday", 5, object(), "2026-13-01T00:00:00Z", datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))]
)
def test_what_is_no_time_is_none(value):
    """What can't be read as a time is told apart, not guessed."""
    assert stamp_of(value) is None
