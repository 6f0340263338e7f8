"""The order of events that have the same time."""

from __future__ import annotations

import itertools
import random

import pytest

from whyops._trace.order import in_order
from whyops._wire.read import RecordedEvent

AT = "2026-11-23T18:14:05.123Z"
ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def event(name: str, key: str | None = None, step: int | None = None, at: str | None = AT) -> RecordedEvent:
    known = {"content": name, "idempotencyKey": key, "stepId": step, "timestamp": at}
    return RecordedEvent({field: value for field, value in known.items() if value is not None})


def names(*events: RecordedEvent) -> list[object]:
    return [one.content for one in in_order(events)]


NESTED = [
    event("asked", f"{ONE}-1", 1),
    event("outer", f"{ONE}-2a", 2),
    event("inner", f"{ONE}-3a", 3),
    event("inner ended", f"{ONE}-3b", 4),
    event("inner 2", f"{ONE}-10a", 5),
    event("inner 2 ended", f"{ONE}-10b", 6),
    event("outer ended", f"{ONE}-2b", 7),
    event("said", f"{ONE}-11", 8),
]


def test_a_process_in_one_millisecond() -> None:
    """However they are given back, the events of a process are in the order in which it recorded them: a call ends after what is in it."""
    for seed in range(50):
        assert names(*random.Random(seed).sample(NESTED, len(NESTED))) == [one.content for one in NESTED]


def test_one_that_was_sent_again() -> None:
    """The service counts what comes in: an event that came later than others that were recorded after it is told by its number."""
    late = [event("inner", f"{ONE}-3a", 99) if one.content == "inner" else one for one in NESTED]
    assert names(*late)[:3] == ["asked", "outer", "inner"]


def test_others_among_them() -> None:
    """Events of another process, or without a key of ours, are placed by their steps."""
    events = [
        event("a1", f"{ONE}-1", 1),
        event("proxied", None, 2),
        event("b1", f"{OTHER}-50", 3),
        event("a2", f"{ONE}-2", 4),
        event("theirs", "order-1", 5),
        event("b2", f"{OTHER}-51", 6),
    ]
    for given in itertools.permutations(events):
        assert names(*given) == ["a1", "proxied", "b1", "a2", "theirs", "b2"]


def test_time_comes_first() -> None:
    """Neither a number nor a step moves an event to another time; one without a time stays behind the one that it came in after."""
    later = event("later", f"{ONE}-1", 1, at="2026-11-23T18:14:05.124Z")
    assert names(later, event("untimed", at=None), event("first", f"{ONE}-2", 2)) == ["first", "later", "untimed"]


@pytest.mark.parametrize("key", [None, f"{ONE}-1", "mine"])
def test_without_steps(key: str | None) -> None:
    """Where no step is known, as in the local store, events of one moment are in the order in which they came in."""
    assert names(event("one", key), event("two", key), event("three", None)) == ["one", "two", "three"]


def test_a_call_without_steps() -> None:
    """In the local store too a call ends after what is in it."""
    local = [event(str(one.content), one.key) for one in NESTED]
    assert names(*local) == [one.content for one in NESTED]
