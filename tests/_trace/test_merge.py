"""One trace from two places."""

from __future__ import annotations

import pytest

from whyops._trace.merge import merged
from whyops._wire.read import RecordedEvent

AT = "2026-11-23T18:14:05.123456Z"


def event(kind: str = "error", **fields: object) -> RecordedEvent:
    return RecordedEvent({"eventType": kind, "timestamp": AT, **fields})


def test_each_key_once() -> None:
    """Here, an event that is there twice, as one that waits and is kept, is one; without a key each is one of its own."""
    twice = [event(idempotencyKey="a"), event(idempotencyKey="a"), event(), event()]
    assert merged(twice, []) == ([twice[0], *twice[2:]], 3)


@pytest.mark.parametrize(
    "there, is_same",
    [
        ({"timestamp": "2026-11-23T18:14:05.123Z"}, True),
        ({"timestamp": "2026-11-23T18:14:05.123Z", "spanId": "s1"}, True),
        ({"timestamp": "2026-11-23T18:14:05.123Z", "spanId": "other"}, False),
        ({"timestamp": "2026-11-23T18:14:05.124Z", "spanId": "s1"}, False),
        ({"timestamp": "2026-11-23T18:14:05.123Z", "spanId": "s1", "eventType": "other"}, False),
        ({"timestamp": None}, False),
    ],
)
def test_the_same_event_there(there: dict[str, object], *, is_same: bool) -> None:
    """The service's copy is known by type, millisecond and span; the one from here stays, for it is whole."""
    here = event(idempotencyKey="a", spanId="s1")
    events, missing = merged([here], [event(**there)] if "spanId" in there or not is_same else [event(**there, spanId="s1")])
    assert events[0] is here
    assert (len(events), missing) == ((1, 0) if is_same else (2, 1))


def test_the_same_key_there() -> None:
    """Keys decide where both sides have them, whatever else differs; the service's own keys are no others' events."""
    here = [event(idempotencyKey="a"), event(idempotencyKey="b"), event()]
    there = [event("other", idempotencyKey="a", spanId="made up"), event(idempotencyKey="c"), event(idempotencyKey="push-1")]
    events, missing = merged(here, there)
    assert events == [*here, there[2]]
    assert missing == 1


def test_a_span_that_the_service_filled_in() -> None:
    """An event without a span is known in spite of the one that the service gave it; equal events are counted."""
    here = [event(idempotencyKey="a"), event(idempotencyKey="b")]
    there = [event(spanId=f"made up {number}") for number in range(3)]
    events, missing = merged(here, there)
    assert events == [*here, there[2]]
    assert missing == 0
