"""Two destinations, one write: each delivers at its own pace, and neither notices that the other is away."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests._delivery.parts import HERE, NONCE, QUICK, ListSink, delivery, failing, keys, line, lines, refusing
from whyops._delivery.fan_out import FanOut
from whyops._delivery.follower import Follower
from whyops._delivery.leader import Leader
from whyops._outbox.destination import Destination
from whyops._outbox.inspect import inspect_outboxes
from whyops.events import Receipt
from whyops.types import FlushResult

THERE = Destination("otlp:http://collector.test/v1/traces", "agent", "")


def fan_out(first: ListSink, second: ListSink, home: Path | None, **options: Any) -> FanOut:
    """Make the delivery to two sinks."""
    given = {"home": home, "process_nonce": lambda: NONCE, "pace": QUICK, **options}
    return FanOut(Leader([Follower(THERE, lambda: second, **given)], HERE, lambda: first, **given))


def flushed(of: FanOut, seconds: float = 20.0) -> FlushResult:
    return of.wait(of.flush(seconds), seconds, of.counts)


def closed(of: FanOut) -> FlushResult:
    return of.wait(of.close(20.0), 20.0, of.counts)


def record(of: FanOut, texts: Sequence[bytes]) -> None:
    for text in texts:
        of.record(text)


def left(home: Path) -> dict[str, int]:
    return {one.destination.name(): one.waiting for one in inspect_outboxes(home) if one.destination is not None}


def hanging(until: threading.Event) -> Callable[[Sequence[bytes]], Receipt | None]:
    def answer(_: Sequence[bytes]) -> None:
        assert until.wait(20)

    return answer


@pytest.mark.parametrize("on_disk", [True, False])
def test_each_gets_every_line_once(home: Path, on_disk: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    """In order, also after the client was closed and used again; the numbers are told for each, and in all."""
    first, second = ListSink(), ListSink()
    both = fan_out(first, second, home if on_disk else None)
    record(both, lines(3))
    result = flushed(both)
    assert [(one.destination, one.delivered, one.waiting) for one in result.destinations] == [
        ("http://service.test", 3, 0),
        ("http://collector.test/v1/traces", 3, 0),
    ]
    assert (result.delivered, result.destination) == (6, "")
    closed(both)
    record(both, lines(5)[3:])
    assert closed(both).delivered == 10
    assert list(first.stored) == list(second.stored) == ["0", "1", "2", "3", "4"]
    assert not list(home.glob("outbox/*/*.shared"))
    assert not both.is_running()


@pytest.mark.parametrize("away", [0, 1])
@pytest.mark.parametrize("on_disk", [True, False])
def test_one_that_fails_delays_nobody(home: Path, away: int, on_disk: bool) -> None:  # noqa: FBT001  (as above)
    """All arrives at the other, without a flush; what waits is counted for the one alone, and arrives in the end."""
    sinks = [ListSink(), ListSink()]
    up = threading.Event()
    arrived = threading.Event()
    sinks[away].answer = lambda batch: None if up.is_set() else failing(None)(batch)
    sinks[1 - away].answer = lambda batch: arrived.set() if "4" in keys(batch) else None
    both = fan_out(sinks[0], sinks[1], home if on_disk else None)
    record(both, lines(5))
    assert arrived.wait(20)
    counts = flushed(both, 0.3)
    assert (counts.destinations[away].waiting, counts.destinations[1 - away].waiting) == (5, 0)
    up.set()
    result = closed(both)
    assert result.waiting == 0
    assert list(sinks[0].stored) == list(sinks[1].stored) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("away", [0, 1])
def test_one_that_hangs_delays_nobody(home: Path, away: int) -> None:
    """The other's lines arrive while a request of the first is under way, also those that were recorded after it began."""
    sinks = [ListSink(), ListSink()]
    up, arrived = threading.Event(), threading.Event()
    sinks[away].answer = hanging(up)
    sinks[1 - away].answer = lambda batch: arrived.set() if "late" in keys(batch) else None
    both = fan_out(sinks[0], sinks[1], home)
    record(both, lines(2))
    flushed(both, 0.3)
    both.record(line("late"))
    assert arrived.wait(20)
    up.set()
    closed(both)
    assert list(sinks[0].stored) == list(sinks[1].stored) == ["0", "1", "late"]


def test_what_one_refuses_is_the_others(home: Path) -> None:
    """It is counted and kept for the one that refused it."""
    first, second = ListSink(), ListSink(refusing(1))
    both = fan_out(first, second, home)
    record(both, lines(3))
    result = closed(both)
    assert [(one.delivered, one.rejected) for one in result.destinations] == [(3, 0), (2, 1)]
    assert [one.rejected_file is not None for one in sorted(inspect_outboxes(home), key=lambda one: one.counts.rejected)] == [False, True]


def test_a_bound_is_reached_by_one_alone(home: Path) -> None:
    """What it can't hold is dropped for it, counted in its numbers, and arrives at the other."""
    first, second = ListSink(), ListSink(failing(None))
    both = fan_out(first, second, home, outbox_max_bytes=40_000)
    for start in range(0, 200, 10):
        record(both, [line(number, size=1000) for number in range(start, start + 10)])
        both.wait(both.first.flush(20.0), 20.0, FlushResult)
        both.wait(both.flush(0.05), 20.0, FlushResult)
    assert len(first.stored) == 200
    counts = both.counts()
    here, there = counts.destinations
    assert (here.delivered, here.dropped, here.waiting) == (200, 0, 0)
    assert there.dropped > 100
    assert there.dropped + there.waiting == 200
    second.answer = lambda _: None
    closed(both)
    assert list(second.stored) == [f"{number}" for number in range(there.dropped, 200)]


def test_a_destination_that_went_keeps_what_is_its_own(home: Path) -> None:
    """Without it the next process delivers the first's; with it again, the rest arrives. Nothing is there twice."""
    both = fan_out(ListSink(failing(None)), ListSink(failing(None)), home)
    record(both, lines(3))
    both.wait(both.close(0.1), 20.0, both.counts)
    assert left(home) == {"http://service.test": 3, "http://collector.test/v1/traces": 3}
    alone = ListSink()
    one = delivery(alone, home, nonce=lambda: "ff" * 8)
    one.record(line("new"))
    one.wait(one.close(20.0), 20.0, one.counts)
    assert list(alone.stored) == ["0", "1", "2", "new"]
    assert left(home) == {"http://service.test": 0, "http://collector.test/v1/traces": 3}
    first, second = ListSink(), ListSink()
    again = fan_out(first, second, home)
    again.record(line("last"))
    closed(again)
    assert (list(first.stored), list(second.stored)) == (["last"], ["0", "1", "2", "last"])


def test_a_disk_that_is_full(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then all lines wait in memory, for both."""
    first, second = ListSink(), ListSink()
    both = fan_out(first, second, home)
    both.record(line(0))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr("whyops._outbox.fast_write.write", full)
        record(both, lines(3)[1:])
    closed(both)
    assert sorted(first.stored) == sorted(second.stored) == ["0", "1", "2"]


def test_who_has_no_thread_does_the_work_for_both(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be started, the one who waits delivers to one after the other."""

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    first, second = ListSink(), ListSink()
    both = fan_out(first, second, home)
    record(both, lines(3))
    assert flushed(both).waiting == 0
    assert list(first.stored) == list(second.stored) == ["0", "1", "2"]


def test_after_a_fork_each_process_has_its_own(home: Path) -> None:
    """What the child records it delivers to both; what the parent recorded is the parent's."""
    first, second = ListSink(), ListSink()
    both = fan_out(first, second, home)
    record(both, lines(2))
    flushed(both)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            first.stored.clear()
            second.stored.clear()
            both.record(line("child"))
            closed(both)
            code = 0 if list(first.stored) == list(second.stored) == ["child"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    both.record(line("parent"))
    closed(both)
    assert list(first.stored) == list(second.stored) == ["0", "1", "parent"]


def test_what_could_not_be_recorded_counts_for_each(home: Path) -> None:
    """An event that was lost before it was one arrives nowhere."""
    both = fan_out(ListSink(), ListSink(), home)
    both.lose("t", "a reason", 2)
    assert [one.not_recorded for one in closed(both).destinations] == [2, 2]


def test_a_trace_that_is_not_continued_counts_once(home: Path) -> None:
    """It is no event: the destination that lines are recorded for has the number."""
    both = fan_out(ListSink(), ListSink(), home)
    for _ in range(3):
        both.ignore("untrusted")
    closed(both)
    assert sum(one.counts.not_continued for one in inspect_outboxes(home)) == 3
