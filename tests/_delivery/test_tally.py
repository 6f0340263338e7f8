"""The numbers of a destination, of this process and of all of them."""

from __future__ import annotations

import json
import os
import stat

import pytest

from tests._delivery.parts import HERE, HandClock, line
from whyops._delivery import tally as tally_module
from whyops._delivery.locks import lock, unlock
from whyops._delivery.tally import Counts, Tally, read_counts


def made(folder) -> Tally:
    return Tally(folder, HERE, HandClock().clock())


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
    assert destination == HERE.as_json()
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


@pytest.mark.parametrize("damaged", [b"", b"nonsense", b"[]", b'{"delivered": "many", "parked_reasons": {"bad": []}, "destination": 7}'])
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
        subject.park(line(index), f"reason {index} " + "x" * 1000)
    subject.save()
    reasons = read_counts(tmp_path)[1].parked_reasons
    assert len(reasons) <= 21
    assert sum(reasons.values()) == 100
    assert reasons["other reasons"] == 80
    assert max(map(len, reasons)) <= 200


def test_parked_events_are_bounded(tmp_path, monkeypatch):
    """Beyond the limit they are counted alone; each note is one line of JSON."""
    monkeypatch.setattr(tally_module, "PARKED_BYTES", 1000)
    subject = made(tmp_path)
    for index in range(50):
        subject.park(line(index), 'it "is"\nbad')
    notes = [json.loads(text) for text in (tmp_path / "parked.jsonl").read_bytes().splitlines()]
    assert 3 < len(notes) < 10
    assert notes[0]["reason"] == 'it "is"\nbad'
    assert notes[0]["event"]["idempotencyKey"] == "0"
    assert subject.total.parked == 50


def test_without_a_folder_only_this_process_is_counted():
    """Nothing is written."""
    subject = made(None)
    subject.park(line(1), "bad")
    subject.save()
    assert subject.total == Counts(parked=1, parked_reasons={"bad": 1})
