"""How large batches are, and how long failures wait."""

from __future__ import annotations

import pytest

from tests._delivery.parts import HandClock, keys, line, lines
from whyops._delivery.pace import MAX_ASKED_SECONDS, PACE, Backoff
from whyops._outbox.batch import Batch, BatchSize, by_trace
from whyops._outbox.memory_outbox import MemoryOutbox


def test_batches_grow_while_answers_are_quick():
    """From 100, twice as many each time, to 1,000; a batch that was not full teaches nothing."""
    size = BatchSize()
    grown = []
    for _ in range(6):
        size.answered(size.events, 0.2)
        size.answered(1, 0.2)
        grown.append(size.events)
    assert grown == [200, 400, 800, 1000, 1000, 1000]


@pytest.mark.parametrize("learn", [BatchSize.answered, BatchSize.failed])
def test_batches_shrink_when_answers_are_slow(learn):
    """To half of what was sent, and not below 100: an idle queue takes seconds for the smallest."""
    size = BatchSize()
    size.events = 1000
    learn(size, 600, 1.5)
    assert size.events == 300
    learn(size, 300, 1.5)
    learn(size, 150, 1.5)
    assert size.events == 100


def test_a_quick_failure_teaches_nothing():
    """A refused connection says nothing about sizes."""
    size = BatchSize()
    size.failed(100, 0.001)
    assert size.events == 100


def test_waits_double_to_a_minute():
    """At random within the upper half, without end; a success begins anew."""
    clock = HandClock()
    for chance, factor in ((0.0, 0.5), (1.0, 1.0)):
        backoff = Backoff(lambda: clock.now, PACE, lambda chance=chance: chance)
        waits = []
        for _ in range(12):
            backoff.failed()
            waits.append(backoff.remaining())
        assert waits[:8] == [factor * wait for wait in (0.5, 1, 2, 4, 8, 16, 32, 60)]
        assert waits[-1] == 60 * factor
        clock.now += 100
        assert backoff.remaining() == 0
        backoff.succeeded()
        assert backoff.remaining() == backoff.failures == 0


def test_the_other_side_may_ask_for_more_time():
    """At least what it asks for, and at most an hour."""
    clock = HandClock()
    backoff = Backoff(lambda: clock.now, PACE)
    backoff.failed(7)
    assert backoff.remaining() == 7
    backoff.failed(10**9)
    assert backoff.remaining() == MAX_ASKED_SECONDS
    backoff.hasten()
    assert backoff.remaining() == 0
    assert backoff.failures == 2


def test_lines_are_split_by_trace_then_in_halves():
    """Order is kept within each part."""
    mixed = [line(index, f"trace {index % 2}") for index in range(5)]
    assert [keys(part) for part in by_trace(mixed)] == [["0", "2", "4"], ["1", "3"]]
    assert [keys(part) for part in by_trace(lines(5))] == [["0", "1"], ["2", "3", "4"]]


def test_a_trace_id_may_hold_anything():
    """Also what looks like the member that follows it."""
    tricky = [line(0, 'a","agentName":"b'), line(1, 'a","agentName":"c'), line(2, 'a","agentName":"b')]
    assert [keys(part) for part in by_trace(tricky)] == [["0", "2"], ["1"]]


def test_a_batch_goes_over_several_shelves():
    """Up to the limits of events and bytes; acknowledging it acknowledges each part."""
    shelves = [MemoryOutbox(10**6) for _ in range(3)]
    for index, shelf in enumerate(shelves):
        for number in range(3):
            shelf.append(line(10 * index + number))
    batch = Batch()
    assert batch.extend(shelves, 5, 10**6) == 5
    assert keys(batch.lines) == ["0", "1", "2", "10", "11"]
    assert batch.extend(shelves, 1, 10**6) == 1
    assert keys(batch.lines[-1:]) == ["12"]
    batch.acknowledge()
    assert [len(shelf) for shelf in shelves] == [0, 0, 3]
    small = Batch()
    small.extend(shelves, 100, 10)
    assert keys(small.lines) == ["20"]


def test_memory_is_bounded_by_bytes():
    """Room comes back when lines are settled."""
    outbox = MemoryOutbox(3 * len(line(0)))
    assert [outbox.append(text) for text in lines(4)] == [True, True, True, False]
    outbox.acknowledge(1)
    assert outbox.append(line(9))
    assert keys(outbox.read(2, 10, 10**6)[0]) == ["2", "9"]
    assert outbox.end() == 4
