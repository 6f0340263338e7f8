"""How a refused batch is taken apart: in order, without parking a good event or blocking those behind a bad one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests._delivery.parts import ListSink, failing, key, keys, line, lines, refusing
from whyops._delivery.bisect import Bisection
from whyops._outbox.batch import Batch
from whyops._outbox.memory_outbox import MemoryOutbox
from whyops.events import BatchRejected, Receipt, Refusal, RetryLater


class Bench:
    """A batch from a memory outbox, a sink, and what was rejected."""

    def __init__(self, texts: Sequence[bytes], sink: ListSink, first: int | None = None) -> None:
        self.outbox = MemoryOutbox(10**9)
        for text in texts:
            self.outbox.append(text)
        self.sink = sink
        self.rejected: dict[str, str] = {}
        self.batch = Batch()
        self.batch.extend([self.outbox], first or len(texts), 10**9)

    def run(self) -> RetryLater | None:
        def park(text: bytes, reason: str) -> None:
            assert key(text) not in self.rejected, "rejected twice"
            self.rejected[key(text)] = reason

        return Bisection(self.batch, self.sink.send, park, lambda batch: batch.extend([self.outbox], 1, 10**9)).run()

    def run_until_settled(self, rounds: int = 10) -> None:
        for _ in range(rounds):
            if self.run() is None:
                return
        raise AssertionError(f"{len(self.batch.lines)} lines are not settled")

    @property
    def stored(self) -> list[str]:
        return list(self.sink.stored)


def test_a_good_batch_goes_at_once():
    """One request, nothing rejected."""
    bench = Bench(lines(5), ListSink())
    assert bench.run() is None
    assert keys(bench.sink.calls[0]) == bench.stored == list("01234")
    assert bench.batch.lines == []


@pytest.mark.parametrize("bad", [[0], [4], [9], [0, 9], [3, 4, 5], list(range(10))])
@pytest.mark.parametrize("stored_neighbours", [True, False])
def test_a_refused_event_is_found(bad, stored_neighbours):
    """Whichever are refused, they alone are rejected, and all others arrive; within a trace in order."""
    sinks: list[ListSink] = []
    sink = ListSink(refusing(*bad, sink=sinks if stored_neighbours else None))
    sinks.append(sink)
    bench = Bench(lines(10), sink)
    assert bench.run() is None
    assert bench.rejected == {str(index): "400 it is bad" for index in bad}
    assert bench.stored == [str(index) for index in range(10) if index not in bad]


def test_a_batch_is_first_split_by_trace():
    """What is refused for its trace, as another account's is, doesn't take part in halving the other traces."""
    texts = [line(index, f"trace {index % 3}") for index in range(9)]
    sink = ListSink(refusing(*[key(text) for text in texts if b"trace 1" in text]))
    bench = Bench(texts, sink)
    assert bench.run() is None
    assert keys(sink.calls[1]) == ["0", "3", "6"]
    assert sorted(bench.rejected) == ["1", "4", "7"]
    assert bench.stored == ["0", "3", "6", "2", "5", "8"]


def test_an_index_saves_the_search():
    """Where the answer names the event, one more request is enough."""
    sink = ListSink()

    def answer(batch: Sequence[bytes]) -> None:
        if "3" in keys(batch):
            raise BatchRejected("400", indexes=[keys(batch).index("3")])

    sink.answer = answer
    bench = Bench(lines(10), sink)
    assert bench.run() is None
    assert len(sink.calls) == 2
    assert list(bench.rejected) == ["3"]


def test_an_index_that_is_out_of_bounds_is_not_believed():
    """It is then as if the answer named none."""
    sink = ListSink()

    def answer(batch: Sequence[bytes]) -> None:
        if "3" in keys(batch):
            raise BatchRejected("400", indexes=[99, -1])

    sink.answer = answer
    bench = Bench(lines(4), sink)
    assert bench.run() is None
    assert list(bench.rejected) == ["3"]


def test_a_sink_may_refuse_by_itself():
    """Refusals in a receipt are rejected, and the rest counts as taken."""
    bench = Bench(lines(3), ListSink(lambda _: Receipt(stored=2, refused=[Refusal(1, "not this")])))
    assert bench.run() is None
    assert bench.rejected == {"1": "not this"}


@pytest.mark.parametrize("bad", [[0], [9], [0, 1, 2], [4, 5], [0, 9], [0, 1, 2, 3, 4, 5]])
def test_a_500_that_one_event_causes(bad):
    """A few tries first; then the event is rejected, because what is behind it passes and it does not."""
    sink = ListSink(refusing(*bad, passing=True))
    bench = Bench([*lines(10), line("behind")], sink, first=10)
    bench.run_until_settled()
    assert sorted(bench.rejected) == [str(index) for index in bad]
    assert set(bench.stored) >= {str(index) for index in range(10) if index not in bad}
    assert len(sink.calls[0]) == len(sink.calls[1]) == len(sink.calls[2]) == 10


def test_a_500_that_passes():
    """A passing fault costs a few tries and parks nothing."""
    bench = Bench(lines(10), ListSink(failing(2, lambda: BatchRejected("500", perhaps_passing=True))))
    bench.run_until_settled(3)
    assert bench.rejected == {}
    assert bench.stored == [str(index) for index in range(10)]


def test_an_outage_of_500s_parks_nothing():
    """Where nothing passes nothing is rejected, however long it lasts, and each round costs few requests."""
    sink = ListSink(failing(None, lambda: BatchRejected("500", perhaps_passing=True)))
    bench = Bench([line(index, f"trace {index % 20}") for index in range(1000)], sink, first=500)
    for _ in range(10):
        before = len(sink.calls)
        assert isinstance(bench.run(), RetryLater)
        assert len(sink.calls) - before < 30
    assert bench.rejected == {}
    sink.answer = lambda _: None
    assert bench.run() is None
    assert bench.rejected == {}
    assert len(bench.stored) >= 500


def test_the_last_event_waits_for_one_behind_it():
    """A lone event that is answered 500 is not rejected before another one has passed."""
    sink = ListSink(refusing(0, passing=True))
    bench = Bench([line(0)], sink)
    for _ in range(5):
        assert isinstance(bench.run(), RetryLater)
    bench.outbox.append(line("behind"))
    assert bench.run() is None
    assert list(bench.rejected) == ["0"]
    assert bench.stored == ["behind"]


def test_what_fails_in_the_middle_keeps_what_is_left():
    """When the service goes away during the search, what is not settled stays, in order."""
    sink = ListSink(refusing(5))
    bench = Bench(lines(8), sink)
    calls = 0

    def answer(batch: Sequence[bytes]) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RetryLater("down")
        refusing(5)(batch)

    sink.answer = answer
    later = bench.run()
    assert later is not None
    assert later.reason == "down"
    assert keys(bench.batch.lines) == list("4567")
    assert bench.run() is None
    assert list(bench.rejected) == ["5"]
    assert bench.stored == list("0123467")


def test_a_sink_with_a_fault_keeps_the_lines():
    """An exception that no sink should raise passes through, and leaves the batch whole."""
    bench = Bench(lines(4), ListSink(failing(1, lambda: ZeroDivisionError("oops"))))
    with pytest.raises(ZeroDivisionError):
        bench.run()
    assert keys(bench.batch.lines) == list("0123")
    assert bench.run() is None


def leaving_open(*bad: object, sink: ListSink) -> None:
    """Have a sink store all but these, and say of these that it does not know."""

    def answer(batch: Sequence[bytes]) -> Receipt:
        open_ones = [index for index, text in enumerate(batch) if key(text) in {str(name) for name in bad}]
        sink.store([text for index, text in enumerate(batch) if index not in open_ones])
        return Receipt(len(batch) - len(open_ones), unsettled=[Refusal(index, "no word for it") for index in open_ones])

    sink.answer = answer


@pytest.mark.parametrize("bad", [[0], [9], [3, 4], [0, 5, 9], [0, 1, 2, 3, 4, 5]])
def test_what_is_left_open_is_sent_again_alone(bad):
    """What was settled beside it is not; what stays open while others pass is rejected after some rounds, and only that."""
    sink = ListSink()
    leaving_open(*bad, sink=sink)
    bench = Bench(lines(10), sink, first=10)
    later = bench.run()
    assert later is not None
    assert later.reason == "no word for it"
    assert keys(bench.batch.lines) == [str(name) for name in bad]
    assert bench.rejected == {}
    for text in [line(index, "other") for index in range(20, 24)]:
        bench.outbox.append(text)
    bench.run_until_settled()
    assert set(bench.rejected) == {str(name) for name in bad}
    assert set(bench.stored) >= {str(index) for index in range(10) if index not in bad}


@pytest.mark.parametrize("count", [1, 3, 9])
def test_what_is_left_open_of_all_is_never_parked(count):
    """Nothing passes, so nothing is at fault; all of it stays."""
    sink = ListSink()
    leaving_open(*range(30), sink=sink)
    bench = Bench(lines(count + 3), sink, first=count)
    for _ in range(8):
        assert bench.run() is not None
    assert bench.rejected == {}
    assert set(keys(bench.batch.lines)) >= {str(index) for index in range(count)}
    leaving_open(sink=sink)
    bench.run_until_settled()
    assert bench.rejected == {}
    assert set(bench.stored) >= {str(index) for index in range(count)}
