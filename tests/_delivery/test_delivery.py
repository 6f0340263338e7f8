"""From a recorded line to a sink: what a delivery promises to those who record and to those who wait."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import ContextVar, copy_context
from pathlib import Path

import pytest

from tests._delivery.parts import HERE, QUICK, ListSink, delivery, failing, keys, line, lines, outbox_files, refusing
from whyops._delivery.pace import PACE, Pace
from whyops._delivery.worker import Worker
from whyops._outbox.counters import read_counts
from whyops._outbox.destination import Destination
from whyops._outbox.segment import Segment
from whyops._runtime import locks, private_files
from whyops.errors import StoreError
from whyops.events import Receipt, Refusal, RetryLater
from whyops.types import FlushResult


@pytest.fixture(params=["file", "memory"])
def home(request, tmp_path):
    """Both kinds of outbox."""
    return tmp_path / "home" if request.param == "file" else None


def left_behind(home: Path, texts: list[bytes], name: str = "0-dead-1", metadata: str = "") -> Path:
    """Put a file there as a dead process leaves it."""
    folder = HERE.folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    segment = Segment.create(folder / f"{name}.lines", HERE, metadata)
    with segment.path.open("ab") as file:
        file.write(b"".join(texts))
    segment.release()
    return segment.path


def result(future: Future[FlushResult]) -> FlushResult:
    return future.result(10)


def eventually(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_recorded_arrives_in_order(home):
    """All of it, once, on one thread that is not ours, in growing batches; the future tells the numbers."""
    sink = ListSink()
    subject = delivery(sink, home)
    for text in lines(2000):
        subject.record(text)
    assert result(subject.flush()) == FlushResult(delivered=2000) == subject.counts()
    assert list(sink.stored) == [str(index) for index in range(2000)]
    assert sum(map(len, sink.calls)) == 2000
    assert len(sink.calls) < 12
    assert max(map(len, sink.calls)) <= 1000
    assert threading.get_ident() not in sink.threads
    result(subject.close())


def test_nothing_happens_before_the_first_event(home):
    """No thread, no file, no sink; also when nothing is waited for."""
    made = []
    subject = delivery(lambda: made.append(1), home)
    threads = threading.active_count()
    assert result(subject.flush()) == result(subject.close()) == subject.counts() == FlushResult()
    assert threading.active_count() == threads
    assert not made
    assert home is None or not home.exists()


@pytest.mark.parametrize("left", [[0, 1], [4, 5], [1, 3]])
def test_what_an_answer_settles_waits_no_more(home, left):
    """Also while others of the same request do: each event is counted once, and in the end all are there, none sent for nothing."""
    sink = ListSink()
    later = failing(1)

    def answer(batch: list[bytes]) -> Receipt | None:
        if len(sink.calls) == 1:
            sink.store([text for index, text in enumerate(batch) if index not in left])
            return Receipt(len(batch) - len(left), unsettled=[Refusal(index, "no word of it") for index in left])
        return later(batch)

    sink.answer = answer
    subject = delivery(sink, home, pace=QUICK._replace(backoff=0.4))
    for text in lines(6):
        subject.record(text)
    counts = result(subject.flush(0.1))
    assert (counts.delivered, counts.waiting) == (4, 2)
    assert result(subject.flush()) == FlushResult(delivered=6) == subject.counts()
    assert keys(sink.calls[-1]) == [str(index) for index in left]
    result(subject.close())


def test_an_event_is_sent_without_being_asked_for(home):
    """After a moment in which more may come."""
    sink = ListSink()
    subject = delivery(sink, home)
    for text in lines(3):
        subject.record(text)
    eventually(lambda: len(sink.stored) == 3)
    assert len(sink.calls) == 1
    result(subject.close())


def test_many_bytes_wake_the_sender(home):
    """It doesn't linger when there is enough for a request in memory, or for a file of their own."""
    sink = ListSink()
    subject = delivery(sink, home, pace=PACE)
    subject.record(line("first"))
    time.sleep(0.1)
    large = (1_000_000 if home is None else 8_000_000) // 100_000
    for number in range(large):
        subject.record(line(f"large {number}", size=100_000))
    eventually(lambda: len(sink.stored) == 1 + large, 0.7)
    result(subject.close())


def test_a_burst_into_a_file_is_left_alone(tmp_path):
    """What lies in a file is safe: the sender lets a caller in a burst have the interpreter, and sends when that is over."""
    sink = ListSink()
    subject = delivery(sink, tmp_path, pace=PACE)
    for number in range(40):
        subject.record(line(number, size=100_000))
    assert not sink.calls
    eventually(lambda: len(sink.stored) == 40)
    result(subject.close())


def test_a_small_outbox_wakes_the_sender_before_it_is_full(home):
    """A quarter of what it may hold is enough."""
    sink = ListSink()
    subject = delivery(sink, home, outbox_max_bytes=400_000, pace=PACE)
    subject.record(line("first"))
    time.sleep(0.1)
    for number in range(5):
        subject.record(line(number, size=25_000))
    eventually(lambda: len(sink.stored) >= 5, 0.7)
    result(subject.close())


def test_closing_leaves_nothing_and_the_next_event_opens_again(home):
    """Thread, sink and files go; a later event finds new ones."""
    made = []

    def make() -> ListSink:
        made.append(ListSink())
        return made[-1]

    subject = delivery(make, home)
    subject.record(line(1))
    assert result(subject.close()).delivered == 1
    eventually(lambda: not subject.is_running())
    assert made[0].closed == 1
    assert home is None or not outbox_files(home)
    subject.record(line(2))
    assert result(subject.close()).delivered == 2
    assert [list(sink.stored) for sink in made] == [["1"], ["2"]]


def test_the_thread_ends_when_idle_and_comes_back(home):
    """With the same sink, and without losing what was recorded just then."""
    sink = ListSink()
    subject = delivery(sink, home, pace=Pace(linger=0.001, idle=0.0))
    for text in lines(300):
        subject.record(text)
        time.sleep(0.0005)
    eventually(lambda: len(sink.stored) == 300)
    assert len(sink.threads) >= 1
    eventually(lambda: not subject.is_running())
    assert sum(map(len, sink.calls)) == 300
    result(subject.close())


class Holding(ListSink):
    """Holds something back until it rests, for the second time."""

    rests = 0

    @property
    def has_left(self) -> bool:
        return bool(self.calls) and self.rests < 2

    def rest(self) -> None:
        self.rests += 1
        if self.rests == 1:
            raise OSError("not now")


def test_a_sink_sends_what_it_holds_back_when_nothing_comes(home, caplog):
    """The thread stays for that, tries again where it fails, and ends then; a sink that holds nothing back is not asked."""
    sink = Holding()
    subject = delivery(sink, home, pace=QUICK._replace(idle=0.0, rest=0.05))
    subject.record(line(1))
    eventually(lambda: not subject.is_running())
    assert (sink.rests, list(sink.stored)) == (2, ["1"])
    assert "not now" in caplog.text
    subject.record(line(2))
    eventually(lambda: len(sink.stored) == 2 and not subject.is_running())
    assert sink.rests == 2
    result(subject.close())


def test_many_threads_record(home):
    """Every line arrives once, each thread's in order."""
    sink = ListSink()
    subject = delivery(sink, home)

    def work(name: int) -> None:
        for index in range(100):
            subject.record(line(f"{name} {index}", trace=f"{name}"))

    threads = [threading.Thread(target=work, args=[name]) for name in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert result(subject.flush()).delivered == 2000
    for name in range(20):
        assert [key for key in sink.stored if key.startswith(f"{name} ")] == [f"{name} {index}" for index in range(100)]
    assert sum(map(len, sink.calls)) == 2000
    result(subject.close())


def test_a_job_gets_the_sink(home):
    """Between two batches, on the sender's thread; its exception is its caller's."""
    sink = ListSink()
    subject = delivery(sink, home)
    assert subject.submit(lambda given: given).result(10) is sink
    with pytest.raises(ZeroDivisionError):
        subject.submit(lambda _: 1 // 0).result(10)
    subject.record(line(1))
    assert result(subject.close()).delivered == 1
    broken = delivery(lambda: 1 // 0, home)
    with pytest.raises(ZeroDivisionError):
        broken.submit(lambda _: 1).result(10)


def test_a_cancelled_wait_disturbs_nobody(home):
    """Who gives up waiting before it began is not answered; all else goes on."""
    release = threading.Event()
    sink = ListSink()
    sink.answer = lambda _: release.wait(10) and None
    subject = delivery(sink, home)
    subject.record(line(1))
    first = subject.flush()
    eventually(lambda: bool(sink.calls))
    second, job = subject.flush(), subject.submit(lambda _: 1)
    assert second.cancel()
    assert job.cancel()
    release.set()
    assert result(first).delivered == 1
    assert result(subject.close()).delivered == 1


@pytest.mark.parametrize("error", [RetryLater, ValueError])
def test_a_failing_sink_keeps_the_events(home, error, caplog):
    """They are tried again after a while, said once, and said when it goes on."""
    sink = ListSink(failing(2, lambda: error("down")))
    subject = delivery(sink, home)
    for text in lines(5):
        subject.record(text)
    with caplog.at_level(logging.INFO, "whyops"):
        assert result(subject.flush()) == FlushResult(delivered=5)
    assert len(sink.calls) == 3
    assert all(keys(call) == list("01234") for call in sink.calls)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert "delivered again" in caplog.text
    assert "Traceback" not in caplog.text
    result(subject.close())


def test_a_flush_may_have_a_limit(home):
    """Then it tells the numbers as they are, and the delivery goes on."""
    sink = ListSink(failing(None))
    subject = delivery(sink, home)
    subject.record(line(1))
    assert result(subject.flush(0.2)) == FlushResult(waiting=1)
    assert subject.counts() == FlushResult(waiting=1)
    assert result(subject.close(0.2)) == FlushResult(waiting=1)
    sink.answer = lambda _: None
    subject.record(line(2))
    assert result(subject.close()).delivered == 2
    assert list(sink.stored) == ["1", "2"]


def test_of_two_who_close_each_gets_an_answer(home):
    """Who closes while another is at it, and waits longer, is answered as well: the thread does not end before."""
    sink = ListSink(failing(None))
    subject = delivery(sink, home)
    subject.record(line(1))
    first, second = subject.close(0.1), subject.close(0.4)
    assert result(first) == result(second) == FlushResult(waiting=1)
    sink.answer = lambda _: None
    subject.record(line(2))
    assert result(subject.close()).delivered == 2


def test_a_hanging_destination_does_not_stop_another(home):
    """Each has a thread of its own."""
    release = threading.Event()
    hanging = ListSink(lambda _: release.wait(20) and None)
    well = ListSink()
    first = delivery(hanging, home)
    second = delivery(well, home, destination=Destination("http://other.test", "agent", "ba9876543210"))
    first.record(line(1))
    second.record(line(2))
    with pytest.raises(FutureTimeoutError):
        first.flush().result(0.1)
    assert result(second.flush()).delivered == 1
    release.set()
    assert result(first.close()).delivered == result(second.close()).delivered == 1


def test_rejected_events_are_kept_with_the_reason(tmp_path, caplog):
    """In a file beside the outbox, counted by reason, said once; the others go on."""
    subject = delivery(ListSink(refusing(3, 5)), tmp_path)
    for text in lines(8):
        subject.record(text)
    assert result(subject.close()) == FlushResult(delivered=6, rejected=2)
    folder = HERE.folder(tmp_path)
    notes = [json.loads(text) for text in (folder / "parked.jsonl").read_bytes().splitlines()]
    assert [(note["reason"], note["event"]["idempotencyKey"]) for note in notes] == [("400 it is bad", "3"), ("400 it is bad", "5")]
    counts = json.loads((folder / "counts.json").read_bytes())
    assert (counts["delivered"], counts["parked"], counts["parked_reasons"]) == (6, 2, {"400 it is bad": 2})
    assert len(caplog.records) == 1
    assert "parked.jsonl" in caplog.text


def test_sampled_out_events_are_counted_apart(home, caplog):
    """And the service's reason is said once."""
    subject = delivery(ListSink(lambda batch: Receipt(stored=1, sampled_out=len(batch) - 1, sampled_out_reason="rate 0.2")), home)
    with caplog.at_level(logging.INFO, "whyops"):
        for text in lines(5):
            subject.record(text)
        assert result(subject.close()) == FlushResult(delivered=1, sampled_out=4)
    assert len(caplog.records) == 1
    assert "rate 0.2" in caplog.text


def test_a_full_outbox_drops_and_says_so(home, caplog):
    """New events are counted as dropped, with one warning; what waits is kept and arrives."""
    sink = ListSink(failing(None))
    subject = delivery(sink, home, outbox_max_bytes=10_000)
    for text in lines(500):
        subject.record(text)
    result(subject.flush(0.05))
    counts = subject.counts()
    assert counts.dropped > 300
    assert counts.waiting + counts.dropped == 500
    assert [record for record in caplog.records if "outbox_max_bytes" in record.message]
    sink.answer = lambda _: None
    assert result(subject.flush()).delivered == counts.waiting
    if home is None:
        subject.record(line("new"))
        assert result(subject.flush()).delivered == counts.waiting + 1
    result(subject.close())


class TestLeftovers:
    """What dead processes left is delivered by the next one with the same destination."""

    def test_they_come_first_and_oldest_first(self, tmp_path):
        """Before what this process records, in the order in which the processes lived; their files go."""
        left_behind(tmp_path, [line("b")], "2-dead-1")
        left_behind(tmp_path, [line("a")], "1-dead-1")
        sink = ListSink()
        subject = delivery(sink, tmp_path)
        subject.record(line("c"))
        assert result(subject.flush()).delivered == 3
        assert list(sink.stored) == ["a", "b", "c"]
        assert len(outbox_files(tmp_path)) == 1
        result(subject.close())

    def test_a_flush_covers_them_also_where_nothing_was_recorded(self, tmp_path):
        """Which is how they are delivered on request."""
        left_behind(tmp_path, lines(3))
        sink = ListSink()
        assert result(delivery(sink, tmp_path).close()).delivered == 3
        assert outbox_files(tmp_path) == []

    def test_what_comes_to_lie_there_later_is_found_by_a_flush(self, tmp_path):
        """It looks after the request arrived."""
        sink = ListSink()
        subject = delivery(sink, tmp_path)
        subject.record(line("a"))
        result(subject.flush())
        left_behind(tmp_path, [line("b")])
        assert result(subject.flush()).delivered == 2
        result(subject.close())

    def test_a_living_owner_keeps_its_file(self, tmp_path):
        """Two processes at once don't send the same."""
        first, second = ListSink(failing(None)), ListSink()
        owner, other = delivery(first, tmp_path), delivery(second, tmp_path, nonce=lambda: "ff" * 8)
        owner.record(line("a"))
        other.record(line("b"))
        assert result(other.close()).delivered == 1
        assert list(second.stored) == ["b"]
        first.answer = lambda _: None
        assert result(owner.close()).delivered == 1

    def test_many_files_share_batches(self, tmp_path):
        """In order, each line once, in as few requests as the same lines in one file; all files are gone afterwards."""
        expected = []
        for number in range(300):
            expected += [f"{number}-a", f"{number}-b"]
            left_behind(tmp_path, [line(key) for key in expected[-2:]], f"{number:04d}-dead{number}-1")
        sink = ListSink()
        subject = delivery(sink, tmp_path)
        subject.record(line("mine"))
        assert result(subject.close()) == FlushResult(delivered=601)
        assert list(sink.stored) == [*expected, "mine"]
        assert sum(map(len, sink.calls)) == 601
        assert len(sink.calls) <= 5
        assert not outbox_files(tmp_path)

    def test_what_is_refused_stays_in_the_files(self, tmp_path):
        """Of many files in one batch those that the sink did not take are left to the next process, and none is sent twice."""
        for number in range(5):
            left_behind(tmp_path, [line(f"{number}")], f"{number}-dead-1")
        refused = ListSink(failing(None))
        subject = delivery(refused, tmp_path)
        subject.record(line("mine"))
        assert result(subject.close(0)).delivered == 0
        taken = ListSink()
        following = delivery(taken, tmp_path)
        following.record(line("next"))
        assert result(following.close()).delivered == 7
        assert sorted(taken.stored) == ["0", "1", "2", "3", "4", "mine", "next"]
        assert sum(map(len, taken.calls)) == 7

    def test_those_of_another_description_go_to_a_sink_of_their_own(self, tmp_path):
        """Before the agent is described anew; those of the same one go where all goes."""
        left_behind(tmp_path, [line("old")], "1-dead-1", metadata="old")
        left_behind(tmp_path, [line("same")], "2-dead-1", metadata="new")
        order: list[str] = []
        ours, orphans = (ListSink(lambda _, name=name: order.append(name)) for name in ("ours", "orphans"))
        subject = delivery(ours, tmp_path, metadata_hash="new", make_orphan_sink=lambda: orphans)
        job = subject.submit(lambda _: order.append("job"))
        subject.record(line("mine"))
        assert result(subject.close()).delivered == 3
        job.result(0)
        assert order[0] == "orphans"
        assert list(orphans.stored) == ["old"]
        assert list(ours.stored) == ["same", "mine"]
        assert ours.closed == orphans.closed == 1

    def test_they_may_be_of_another_destination_if_told_so(self, tmp_path):
        """Which is how events of an old key are sent with the new one."""
        left_behind(tmp_path, lines(3))
        sink = ListSink()
        other = Destination(HERE.url, HERE.agent_name, "another key")
        assert result(delivery(sink, tmp_path, destination=other, folder=HERE.folder(tmp_path)).close()).delivered == 3

    def test_what_nobody_finished_making_is_removed(self, tmp_path):
        """After an hour, so that nobody is at it any more."""
        left_behind(tmp_path, lines(1))
        stale, fresh = HERE.folder(tmp_path) / "stale.new", HERE.folder(tmp_path) / "fresh.new"
        for path in (stale, fresh):
            path.touch()
        os.utime(stale, (1, 1))
        result(delivery(ListSink(), tmp_path).close())
        assert not stale.exists()
        assert fresh.exists()

    def test_a_damaged_file_is_passed_over(self, tmp_path):
        """A file of nothing but garbage is removed, and blocks nobody."""
        path = left_behind(tmp_path, [b"garbage\n", b"more"])
        left_behind(tmp_path, [line("a")], "1-dead-1")
        sink = ListSink()
        assert result(delivery(sink, tmp_path).close()).delivered == 1
        assert not path.exists()


class TestNoDisk:
    """Where no file can be written, memory takes over, said once."""

    def check(self, home: Path, caplog, told: str = "WHYOPS_HOME") -> None:
        sink = ListSink()
        subject = delivery(sink, home)
        for text in lines(10):
            subject.record(text)
        assert result(subject.flush()).delivered == 10
        assert list(sink.stored) == [str(index) for index in range(10)]
        assert len([record for record in caplog.records if told in record.message]) == 1
        assert len(caplog.records) == 1
        result(subject.close())

    def test_a_home_that_can_not_be_made(self, tmp_path, caplog):
        """A file lies where the folder should be."""
        (tmp_path / "home").write_text("")
        self.check(tmp_path / "home", caplog)

    def test_a_home_that_others_may_write_to(self, tmp_path, caplog):
        """What lies there may be somebody else's."""
        folder = HERE.folder(tmp_path)
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        self.check(tmp_path, caplog)

    def test_a_disk_without_locks(self, tmp_path, caplog, monkeypatch):
        """Nobody could tell there who is alive."""
        fcntl = pytest.importorskip("fcntl")

        def no_locks(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(fcntl, "flock", no_locks)
        self.check(tmp_path, caplog)

    @pytest.mark.parametrize("lacks", ["locks", "owners"])
    def test_a_system_without_locks(self, tmp_path, caplog, monkeypatch, lacks):
        """Or without owners, as on Windows and in Pyodide: nobody can do anything about it, and it is no more than information."""
        if lacks == "locks":
            monkeypatch.setattr(locks, "fcntl", None)
        else:
            monkeypatch.delattr(os, "geteuid", raising=False)
            monkeypatch.setattr(private_files, "HAS_OWNERS", False)
        caplog.set_level(logging.INFO, "whyops")
        self.check(tmp_path, caplog, "This system has no file locks")
        assert {record.levelno for record in caplog.records} == {logging.INFO}

    @pytest.mark.parametrize("which", [["write"], ["write", "lock"]], ids=len)
    @pytest.mark.parametrize("waiting", [False, True])
    def test_descriptors_that_somebody_closed(self, tmp_path, caplog, which, waiting):
        """What is in the file is still delivered, then what is in memory; also where somebody waits for it already."""
        sink = ListSink(failing(1 if waiting else 0))
        subject = delivery(sink, tmp_path)
        subject.record(line(1))
        if waiting:
            early = subject.flush()
            eventually(lambda: bool(sink.calls))
            caplog.clear()
        outbox = subject._queue.current
        fds = {"write": outbox._fd, "lock": outbox.shelves()[0].fd}
        for name in which:
            os.close(fds[name])
        subject.record(line(2))
        subject.record(line(3))
        assert result(subject.flush()).delivered == 3
        assert list(sink.stored) == ["1", "2", "3"]
        assert len([record for record in caplog.records if "WHYOPS_HOME" in record.message]) == 1
        assert not waiting or result(early)
        result(subject.close())


def test_recording_from_del_and_from_a_signal_handler(home):
    """Wherever it strikes, it neither hangs nor raises, and the line arrives."""
    sink = ListSink()
    subject = delivery(sink, home)
    extra = iter(range(10**6))
    count = 0

    class Dying:
        def __del__(self) -> None:
            nonlocal count
            count += 1
            subject.record(line(f"del {next(extra)}"))

    def on_alarm(*_: object) -> None:
        nonlocal count
        count += 1
        subject.record(line(f"signal {next(extra)}"))

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for text in lines(2000):
            cycle = [Dying()]
            cycle.append(cycle)
            del cycle
            subject.record(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    gc.collect()
    assert result(subject.flush()).delivered == 2000 + count
    assert len(sink.stored) == 2000 + count
    result(subject.close())


def test_a_frozen_clock_stops_nothing(home, monkeypatch):
    """Tools that freeze time replace the functions in `time` and in modules that took them from there."""
    frozen = time.monotonic()
    for name, module in list(sys.modules.items()):
        if name.startswith("whyops"):
            for attribute, value in list(vars(module).items()):
                if value in (time.monotonic, time.time):
                    monkeypatch.setattr(module, attribute, lambda: frozen)
    monkeypatch.setattr(time, "monotonic", lambda: frozen)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    sink = ListSink(failing(1))
    subject = delivery(sink, home)
    subject.record(line(1))
    assert result(subject.close()).delivered == 1


def test_no_thread_to_be_had(home, monkeypatch, caplog):
    """An event is recorded all the same, and a later one starts the thread."""
    sink = ListSink()
    subject = delivery(sink, home)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        subject.record(line(1))
        subject.record(line(2))
    assert len(caplog.records) == 1
    assert "can't start new thread" in caplog.text
    subject.record(line(3))
    assert result(subject.close()).delivered == 3
    assert list(sink.stored) == ["1", "2", "3"]


class TestWithoutThreads:
    """Where no thread can be started, whoever waits does the sender's work."""

    @pytest.fixture(autouse=True)
    def _refused(self, monkeypatch):
        """Refuse new threads, as a limit on processes does, and the end of the interpreter."""
        self.allow = monkeypatch.undo

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)

    def test_a_flush_delivers(self, home):
        """In the thread that calls it, all of it, and says the numbers; so does closing."""
        sink = ListSink()
        subject = delivery(sink, home)
        for text in lines(300):
            subject.record(text)
        assert subject.wait(subject.flush(10), 10, subject.counts) == FlushResult(delivered=300)
        assert sink.threads == {threading.get_ident()}
        subject.record(line("last"))
        assert subject.wait(subject.close(10), 10, subject.counts) == FlushResult(delivered=301)
        assert sink.closed == 1

    def test_so_does_an_awaited_one(self, home):
        """On the event loop, as there is no other place."""
        sink = ListSink()
        subject = delivery(sink, home)
        subject.record(line(1))

        async def main() -> FlushResult:
            return await subject.wait_async(subject.flush(10), 10, subject.counts)

        assert asyncio.run(main()) == FlushResult(delivered=1)
        result_of_close = subject.wait(subject.close(10), 10, subject.counts)
        assert result_of_close.delivered == 1

    def test_a_job_is_done(self, home):
        """And its result is handed on."""
        subject = delivery(ListSink(), home)
        assert subject.wait(subject.submit(lambda _: 7), 10, lambda: 0) == 7

    @pytest.mark.parametrize("timeout", [0.2, None])
    def test_the_end_is_bounded_whatever_was_given_up_before(self, home, caplog, timeout):
        """A flush that was given up, with or without a limit of its own, keeps no process from ending."""
        subject = delivery(ListSink(failing(None)), home, exit_timeout=0.3)
        subject.record(line(1))
        future = subject.flush(timeout)
        assert subject.wait(future, 0.2, subject.counts) == FlushResult(waiting=1)
        subject.begin_exit()
        subject.finish_exit()
        assert subject.counts() == FlushResult(waiting=1)
        assert len([record for record in caplog.records if "Could not start" in record.message]) == 1

    def test_a_sink_that_is_in_time_is_told_the_limit(self, home):
        """That of whoever waits: it is the caller's thread that would hang. Afterwards there is none any more."""
        told: list[float | None] = []

        class Hurrying(ListSink):
            def hurry(self, deadline: float | None) -> None:
                told.append(deadline)

        subject = delivery(Hurrying(), home)
        subject.record(line(1))
        until = time.monotonic() + 10
        assert subject.wait(subject.flush(10), 10, subject.counts).delivered == 1
        assert told[0] is not None
        assert abs(told[0] - until) < 5
        assert told[-1] is None

    def test_two_that_wait_are_both_answered(self, home):
        """One does the work at a time, and the other goes on where it leaves."""
        sink = ListSink()
        subject = delivery(sink, home)
        subject.record(line(1))
        go = threading.Event()
        answers: list[FlushResult] = []

        def flush() -> None:
            go.wait(10)
            answers.append(subject.wait(subject.flush(20), 20, subject.counts))

        self.allow()
        threads = [threading.Thread(target=flush) for _ in range(4)]
        for thread in threads:
            thread.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading.Thread, "start", lambda _: 1 // 0)
            patch.setattr(Worker, "_start", lambda _: None)
            go.set()
            for thread in threads:
                thread.join(20)
        assert answers == [FlushResult(delivered=1)] * 4

    def test_once_threads_can_be_had_the_next_event_starts_one(self, home):
        """And what waited goes along."""
        sink = ListSink()
        subject = delivery(sink, home)
        subject.record(line(1))
        assert subject.wait(subject.flush(10), 10, subject.counts).delivered == 1
        self.allow()
        subject.record(line(2))
        eventually(lambda: len(sink.stored) == 2)
        assert len(sink.threads) == 2
        result(subject.close())


def test_the_sender_runs_in_no_trace(home):
    """Nor in anything else that the context of whoever starts its thread holds, also where threads inherit that."""
    seen: list[object] = []
    variable: ContextVar[str] = ContextVar("variable", default="none")
    sink = ListSink(lambda _: seen.append(variable.get()))
    subject = delivery(sink, home)

    class Inheriting(threading.Thread):
        """A thread as a free-threaded Python makes them."""

        def start(self) -> None:
            context, run = copy_context(), self.run
            self.run = lambda: context.run(run)  # type: ignore[method-assign]
            super().start()

    variable.set("a request's")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "Thread", Inheriting)
        subject.record(line(1))
        assert result(subject.flush()).delivered == 1
        patch.setattr(threading.Thread, "start", lambda _: 1 // 0)
    assert subject.submit(lambda _: variable.get()).result(10) == "none"
    result(subject.close())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "_start", lambda _: None)
        subject.record(line(2))
        assert subject.wait(subject.close(10), 10, subject.counts).delivered == 2
    assert seen == ["none", "none"]


@pytest.mark.parametrize("ask", ["flush", "close", "exit"])
def test_nobody_waits_for_a_local_store_that_can_not_be_used(home, ask):
    """It has waited for others that write by itself, and nothing else about it changes soon. Later it is tried again."""
    sink = ListSink(failing(None, lambda: StoreError("no such folder")))
    subject = delivery(sink, home)
    subject.record(line(1))
    for _ in range(3):
        if ask == "exit":
            subject.begin_exit()
            subject.finish_exit()
        else:
            future = subject.flush(50) if ask == "flush" else subject.close(50)
            assert result(future) == FlushResult(waiting=1)
    sink.answer = lambda _: None
    subject.record(line(2))
    assert result(subject.close()).delivered == 2


def test_what_is_recorded_while_it_closes_goes_along(home):
    """A close ends with what came while it was at work."""
    sink = ListSink()
    subject = delivery(sink, home)

    def answer(_: object) -> None:
        if len(sink.calls) == 1:
            subject.record(line("late"))

    sink.answer = answer
    subject.record(line("early"))
    assert result(subject.close()).delivered == 2
    assert home is None or not outbox_files(home)


def test_what_waits_in_memory_is_not_forgotten_by_closing():
    """It is tried again, with or without another event."""
    sink = ListSink(failing(None))
    subject = delivery(sink, None)
    subject.record(line(1))
    assert result(subject.close(0.1)) == FlushResult(waiting=1)
    sink.answer = lambda _: None
    assert result(subject.flush()) == FlushResult(delivered=1)
    result(subject.close())


def test_files_are_tried_again_after_a_while(tmp_path, caplog):
    """Once the disk takes them and memory is empty."""
    (tmp_path / "home").write_text("")
    sink = ListSink()
    subject = delivery(sink, tmp_path / "home", pace=Pace(disk=0.0))
    subject.record(line(1))
    result(subject.flush())
    (tmp_path / "home").unlink()
    result(subject.flush())
    subject.record(line(2))
    assert len(outbox_files(tmp_path / "home")) == 1
    assert result(subject.close()).delivered == 2
    assert len(caplog.records) == 1


def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    """It may hold what this one does not understand."""
    path = left_behind(tmp_path, [line(1)])
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    assert result(delivery(ListSink(), tmp_path).close()) == FlushResult()
    assert path.exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_sink_that_ends_its_thread_is_called_by_another(home):
    """As `SystemExit` does."""
    sink = ListSink(failing(1, SystemExit))
    subject = delivery(sink, home)
    subject.record(line(1))
    future = subject.flush()
    eventually(lambda: not subject.is_running())
    subject.record(line(2))
    assert result(subject.close()).delivered == 2
    assert result(future).delivered >= 1


def test_a_delivery_that_nobody_holds_ends(tmp_path):
    """After its thread has ended nothing of it is left: no descriptor, no file."""
    sink = ListSink()
    subject = delivery(sink, tmp_path, pace=Pace(linger=0.01, idle=0.0))
    subject.record(line(1))
    eventually(lambda: len(sink.stored) == 1 and not sink.threads & {thread.ident for thread in threading.enumerate()})
    del subject
    with contextlib.suppress(AssertionError):
        eventually(lambda: gc.collect() and not outbox_files(tmp_path), 2)
    assert outbox_files(tmp_path) == []


def test_the_first_trace_that_is_not_continued_is_written_down_at_once(tmp_path):
    """No thread does it: the process may end without exit hooks. The others are soon written, too, and none of it takes a sink."""
    made = []
    subject = delivery(lambda: made.append(1), tmp_path / "home")
    subject.ignore("untrusted")
    assert not subject.is_running()
    assert read_counts(HERE.folder(tmp_path / "home"))[1].not_continued_reasons == {"untrusted": 1}
    for _ in range(4):
        subject.ignore("malformed")
    result(subject.close())
    assert read_counts(HERE.folder(tmp_path / "home"))[1].not_continued_reasons == {"untrusted": 1, "malformed": 4}
    assert not made
