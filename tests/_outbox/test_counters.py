"""The numbers of a destination, of this process and of all of them."""

from __future__ import annotations

import json
import os
import stat
import threading

import pytest

from tests._delivery.parts import HERE, HandClock, line
from tests.conftest import fill
from whyops._outbox import counters as counters_module
from whyops._outbox.counters import Counters, Counts, counted_reason, forget_traces, read_counts
from whyops._runtime.locks import lock, unlock


def made(folder) -> Counters:
    return Counters(folder, HERE, HandClock().clock())


def test_processes_add_up(tmp_path):
    """Each adds what is new, and nothing twice."""
    first, second = made(tmp_path), made(tmp_path)
    first.count(Counts(delivered=5, sampled_out=1, sampled_out_reasons={"rate": 1}))
    first.save()
    first.save()
    second.count(Counts(delivered=2, dropped=3, sampled_out=1, sampled_out_reasons={"rate": 1}))
    second.save()
    first.count(Counts(delivered=1))
    first.save()
    destination, counts = read_counts(tmp_path)
    assert destination == HERE._asdict()
    assert counts == Counts(delivered=8, dropped=3, sampled_out=2, sampled_out_reasons={"rate": 2})
    assert first.total.delivered == 6
    assert stat.S_IMODE((tmp_path / "counts.json").stat().st_mode) == 0o600


def test_another_process_at_it_is_not_waited_for(tmp_path):
    """What can't be added now is added the next time; at the end a moment is spent on it, and no more."""
    subject = made(tmp_path)
    subject.count(Counts(delivered=5))
    fd = os.open(tmp_path / "counts.json", os.O_RDWR | os.O_CREAT)
    lock(fd)
    subject.save()
    subject.save_for_good()
    assert read_counts(tmp_path) == ({}, Counts())
    unlock(fd)
    os.close(fd)
    subject.save_for_good()
    assert read_counts(tmp_path)[1].delivered == 5


def test_why_events_wait(tmp_path):
    """The last attempt of any process tells; what got through ends it, and each reason is written once."""
    first, second = made(tmp_path), made(tmp_path)
    first.postpone("it can't be reached " + "x" * 1000)
    first.save()
    assert read_counts(tmp_path)[1].postponed == ("it can't be reached " + "x" * 1000)[:200]
    (tmp_path / "counts.json").unlink()
    first.postpone("it can't be reached " + "x" * 1000)
    first.save()
    assert not (tmp_path / "counts.json").exists()
    first.postpone("the service refuses the API key")
    second.count(Counts(delivered=1))
    first.save()
    second.save()
    assert read_counts(tmp_path)[1] == Counts(delivered=1, postponed="the service refuses the API key")
    second.postpone("")
    second.save()
    assert read_counts(tmp_path)[1].postponed == ""


@pytest.mark.parametrize("damaged", [b"", b"nonsense", b"[]", b'{"delivered": "many", "rejected_reasons": {"bad": []}, "destination": 7}'])
def test_a_damaged_file_counts_as_nothing(tmp_path, damaged):
    """It is written anew."""
    (tmp_path / "counts.json").write_bytes(damaged)
    assert read_counts(tmp_path) == ({}, Counts())
    subject = made(tmp_path)
    subject.count(Counts(delivered=5))
    subject.save()
    assert read_counts(tmp_path)[1].delivered == 5


def test_reasons_are_few_and_short(tmp_path):
    """Whatever a service says, the file stays small."""
    subject = made(tmp_path)
    for index in range(100):
        subject.reject(line(index), f"reason {index} " + "x" * 1000)
    subject.save()
    reasons = read_counts(tmp_path)[1].rejected_reasons
    assert len(reasons) <= 21
    assert sum(reasons.values()) == 100
    assert reasons["other reasons"] == 80
    assert max(map(len, reasons)) <= 200


def test_rejected_events_are_bounded(tmp_path, monkeypatch):
    """Beyond the limit they are counted alone; each note is one line of JSON."""
    monkeypatch.setattr(counters_module, "REJECTED_BYTES", 1000)
    subject = made(tmp_path)
    for index in range(50):
        subject.reject(line(index), 'it "is"\nbad')
    notes = [json.loads(text) for text in (tmp_path / "parked.jsonl").read_bytes().splitlines()]
    assert 3 < len(notes) < 10
    assert notes[0]["reason"] == 'it "is"\nbad'
    assert notes[0]["event"]["idempotencyKey"] == "0"
    assert subject.total.rejected == 50


def test_without_a_folder_only_this_process_is_counted():
    """Nothing is written."""
    subject = made(None)
    subject.reject(line(1), "bad")
    subject.save()
    assert subject.total == Counts(rejected=1, rejected_reasons={"bad": 1})


def test_the_last_save_waits_for_nobody_where_nothing_is_saved(tmp_path, monkeypatch):
    """Without a folder, or where it can't be written to, the end has nobody to wait for: a client in memory is closed at once."""
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    waits = []
    monkeypatch.setattr(counters_module.time, "sleep", waits.append)
    for folder in (None, in_the_way / "folder"):
        counters = made(folder)
        counters.count(Counts(delivered=1))
        counters.save_for_good()
        assert counters.total.delivered == 1
    assert waits == []


def test_lost_events_are_known_by_their_traces(tmp_path):
    """The latest traces are told apart, over all processes; what is known of no trace is the rest."""
    first, second = made(tmp_path), made(tmp_path)
    first.drop(line("a", trace="t-1"))
    first.drop(b"not a line of ours\n")
    first.lose("t-1", "why", 3)
    first.lose("t-2", "why")
    first.lose("", "why", 2)
    first.save()
    second.lose("t-2", "why", 5)
    second.save()
    _, counts = read_counts(tmp_path)
    assert (counts.dropped, counts.dropped_traces, counts.dropped_untraced) == (2, {"t-1": 1}, 1)
    assert (counts.not_recorded, counts.not_recorded_traces, counts.not_recorded_untraced) == (11, {"t-1": 3, "t-2": 6}, 2)
    assert counts.not_recorded_reasons == {"why": 11}
    for number in range(1000):
        second.lose(f"more {number}", "why")
    second.lose("t-2", "why")
    second.save()
    _, counts = read_counts(tmp_path)
    assert counts.not_recorded == 1012
    assert len(counts.not_recorded_traces) == 400
    assert (counts.not_recorded_traces["t-2"], counts.not_recorded_traces.get("t-1")) == (7, None)
    assert sum(counts.not_recorded_traces.values()) + counts.not_recorded_untraced == 1012
    assert (tmp_path / "counts.json").stat().st_size < 1 << 20


def test_threads_count_at_once(tmp_path):
    """Nothing is counted twice or not at all while the sender saves."""
    subject = made(tmp_path)

    def lose() -> None:
        for _ in range(200):
            subject.lose("t", "why")

    threads = [threading.Thread(target=lose) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        subject.save()
    subject.save()
    assert subject.total.not_recorded == read_counts(tmp_path)[1].not_recorded == 1600


def test_what_is_erased_is_not_told_of(tmp_path):
    """Neither the trace nor the number of its lost events stays; all else does."""
    subject = made(tmp_path)
    subject.count(Counts(delivered=7))
    subject.lose("t-1", "why", 3)
    subject.lose("t-2", "why", 4)
    subject.save()
    forget_traces(tmp_path, lambda trace_id: trace_id == "t-1", {})
    destination, counts = read_counts(tmp_path)
    assert destination == HERE._asdict()
    assert (counts.delivered, counts.not_recorded, counts.not_recorded_traces) == (7, 4, {"t-2": 4})
    assert b"t-1" not in (tmp_path / "counts.json").read_bytes()


def test_a_full_disk_costs_no_number(small_disk):
    """What can't be written is written as soon as a byte can be; what was there before stays whole."""
    subject = made(small_disk / "outbox" / "a")
    subject.count(Counts(delivered=5))
    subject.save()
    filler = fill(small_disk)
    subject.lose("t-1", "why", 3)
    subject.save()  # into the room that the file has
    assert read_counts(small_disk / "outbox" / "a")[1].not_recorded == 3
    for number in range(300):
        subject.lose(f"{number} " + "x" * 100, "why")
    subject.save()  # which is too much for it
    assert subject.has_news()
    assert read_counts(small_disk / "outbox" / "a")[1].not_recorded == 3
    filler.unlink()
    subject.save()
    assert not subject.has_news()
    assert read_counts(small_disk / "outbox" / "a")[1] == subject.total


def test_a_disk_that_is_full_at_first(small_disk):
    """The folder is made as soon as it can be."""
    filler = fill(small_disk)
    subject = made(small_disk / "outbox" / "a")
    subject.lose("t-1", "why")
    subject.save()
    subject.save()
    filler.unlink()
    subject.save()
    assert read_counts(small_disk / "outbox" / "a")[1].not_recorded_traces == {"t-1": 1}


def test_rejected_events_that_are_erased_count_no_more(tmp_path):
    """Neither in number nor by reason; those of other reasons stay."""
    counts = Counters(tmp_path, HERE, HandClock().clock())
    line = b'{"traceId":"t-1","agentName":"a","eventType":"error","timestamp":"","idempotencyKey":"k","content":{}}\n'
    for reason in ("409 trace t-1 is taken", "409 trace t-1 is taken", "500 no"):
        counts.reject(line, reason)
    counts.save()
    forget_traces(tmp_path, lambda _: False, {counted_reason(line, "409 trace t-1 is taken"): 2})
    _, told = read_counts(tmp_path)
    assert (told.rejected, told.rejected_reasons) == (1, {"500 no": 1})
