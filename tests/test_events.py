"""Sinks and numbers under their older names."""

from __future__ import annotations

import pytest

from tests._delivery.parts import ListSink, delivery, failing, line, refusing
from whyops import events
from whyops.types import FlushResult


def test_older_names_of_what_a_sink_raises_go_on_working(tmp_path):
    """A sink that was written with them works as before, and so does code that catches them."""
    assert events.TryLater is events.RetryLater
    assert events.BatchRefused is events.BatchRejected
    later = ListSink(failing(1, lambda: events.TryLater("down", after=0.0)))
    subject = delivery(later, tmp_path)
    subject.record(line(1))
    assert subject.close(10).result(15) == FlushResult(delivered=1)
    with pytest.raises(events.BatchRefused, match="it is bad"):
        refusing(1)([line(1)])


def test_rejected_events_have_their_older_name_too():
    """As an attribute; the place in the tuple stays the same."""
    counts = FlushResult(delivered=5, waiting=4, rejected=3, sampled_out=2, dropped=1, not_recorded=6)
    assert counts.parked == counts.rejected == counts[2] == 3
    assert tuple(counts[:7]) == (5, 4, 3, 2, 1, 6, 0)
