"""Times as one writes them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from whyops._listing.moments import age_of, moment_of, sortable_moment


def test_what_is_a_time() -> None:
    """How long ago, a date, a date with a time and a zone; in UTC as the store sorts it."""
    assert age_of(" 1.5h ") == timedelta(minutes=90)
    assert sortable_moment(moment_of("2026-11-20T12:00:00+02:00")) == "2026-11-20T10:00:00.000000Z"
    ago = moment_of("7d")
    assert ago is not None
    assert ago < datetime.now(timezone.utc) - timedelta(days=6)
    assert sortable_moment(None) is None


@pytest.mark.parametrize("text", ["", "soon", "7", "2026-13-01", "99999999999999w", "٣d"])
def test_what_is_none(text: str) -> None:
    """Anything else is no time, and no exception."""
    assert moment_of(text) is None
