"""Time as an event carries it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from whyops._wire.timestamps import EventClock, Moments, stamp_of


@pytest.mark.parametrize(
    "nanoseconds, last_ms, texts",
    [
        (1_000, -1, ("1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.000Z")),
        (1_795_456_445_000_001_000, 0, ("2026-11-23T17:54:05.000001Z", "2026-11-23T17:54:05.000Z")),
        (1_795_456_445_999_999_999, 0, ("2026-11-23T17:54:05.999999Z", "2026-11-23T17:54:05.999Z")),
        (1_795_456_445_999_999_999, 1_795_456_445_999, ("2026-11-23T17:54:05.999999Z", "2026-11-23T17:54:06.000Z")),
        (1_795_456_445_999_999_999, 1_795_456_446_999, ("2026-11-23T17:54:05.999999Z", "2026-11-23T17:54:06.999Z")),
        (1_798_761_599_500_000_000, 1_798_761_599_999, ("2026-12-31T23:59:59.500000Z", "2027-01-01T00:00:00.000Z")),
    ],
)
def test_a_stamp_is_utc_in_microseconds_and_in_milliseconds(nanoseconds, last_ms, texts):
    """Both end in Z; the second text may be of the next second."""
    clock, moments = EventClock(wall_ns=lambda: nanoseconds), Moments()
    moments.last_ms = last_ms
    assert clock.stamp(moments) == texts


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


def test_a_time_as_text() -> None:
    """A time is written as a stamp writes it, within the second of the last stamp or long before."""
    clock = EventClock(wall_ns=lambda: 1_767_225_600_000_001_000)
    exact, _ = clock.stamp(Moments())
    assert clock.text_of(1_767_225_600_000_001) == exact == "2026-01-01T00:00:00.000001Z"
    assert clock.text_of(1_767_225_600_999_999) == "2026-01-01T00:00:00.999999Z"
    assert clock.text_of(1_767_225_599_500_000) == "2025-12-31T23:59:59.500000Z"
