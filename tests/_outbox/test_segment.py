"""One outbox file: its head, its lines, its lock."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests._delivery.parts import HERE, keys, line, lines
from whyops._encoding import core
from whyops._outbox.segment import Segment, count_lines, is_held, reading_lines
from whyops._store.sink import SqliteSink
from whyops._wire.objects import objects_in
from whyops._wire.read import decode

EVERYTHING = (10**6, 10**9)


def made(folder: Path, *texts: bytes, name: str = "a.lines") -> Segment:
    segment = Segment.create(folder / name, HERE, "hash")
    fd = os.open(segment.path, os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"".join(texts))
    os.close(fd)
    return segment


def test_the_head_says_whose_it_is_and_never_the_key(tmp_path):
    """Format, destination, hash of the metadata, and how far it is delivered; readable by us alone."""
    segment = made(tmp_path)
    head = json.loads(segment.path.read_bytes())
    assert head == {"acknowledged": f"{segment.end():015d}", "format": 1, "destination": HERE._asdict(), "metadata": "hash"}
    assert int(head["acknowledged"]) == segment.path.stat().st_size == segment.end()
    assert stat.S_IMODE(segment.path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [segment.path]


def test_lines_are_read_in_order_and_in_portions(tmp_path):
    """At most so many events and bytes, at least one line if there is one."""
    segment = made(tmp_path, *lines(10))
    first, position = segment.read(segment.acknowledged, 3, 10**6)
    assert keys(first) == list("012")
    second, position = segment.read(position, 10, 2 * len(line(0)) + 5)
    assert keys(second) == list("34")
    third, _ = segment.read(position, 10, 1)
    assert keys(third) == list("5")


def test_a_line_may_be_longer_than_a_portion(tmp_path):
    """It comes whole."""
    segment = made(tmp_path, line(0, size=300_000), line(1))
    first, _ = segment.read(segment.acknowledged, 10, 1000)
    assert keys(first) == ["0"]


def test_many_lines_come_at_once(tmp_path):
    """However they are read from the file, none is left out, torn or repeated, and the position is after the last one."""
    texts = [line(number, size=number % 1009) for number in range(3000)]
    segment = made(tmp_path, *texts)
    assert segment.read(segment.acknowledged, *EVERYTHING) == (texts, segment.end())
    size = sum(map(len, texts[:2000]))
    assert segment.read(segment.acknowledged, 10**6, size) == (texts[:2000], segment.acknowledged + size)
    assert segment.read(segment.acknowledged, 2000, 10**9) == (texts[:2000], segment.acknowledged + size)


def test_a_long_line_goes_along_with_short_ones(tmp_path):
    """Only the number of events and the bytes end a portion."""
    texts = [line(number, size=number % 2 * 300_000) for number in range(10)]
    segment = made(tmp_path, *texts)
    assert segment.read(segment.acknowledged, *EVERYTHING) == (texts, segment.end())
    found, _ = segment.read(segment.acknowledged, 10, 1_000_000)
    assert found == texts[:7]


def test_an_unfinished_line_waits(tmp_path):
    """While the file is written to, what has no line feed yet is not read."""
    segment = made(tmp_path, line(0), line(1)[:-5])
    texts, position = segment.read(segment.acknowledged, *EVERYTHING)
    assert keys(texts) == ["0"]
    assert segment.read(position, *EVERYTHING) == ([], position)


def test_a_torn_line_is_skipped_by_the_heir(tmp_path):
    """An adopted file ends where it ends: what was torn by the crash is not sent, and the file counts as drained."""
    made(tmp_path, line(0), line(1)[:-5]).release()
    segment = Segment.adopt(tmp_path / "a.lines")
    assert segment is not None
    texts, position = segment.read(segment.acknowledged, *EVERYTHING)
    assert keys(texts) == ["0"]
    texts, position = segment.read(position, *EVERYTHING)
    assert texts == []
    segment.acknowledge(position)
    assert segment.is_drained()


@pytest.mark.parametrize("torn", [line(1)[:-30], b'{"traceId":"t","agentName":{}}', b"\xff\xfe\0", b"[1]", b"}"])
def test_what_stands_behind_a_torn_line_is_saved(tmp_path, torn):
    """A line that was appended to the torn one by another thread is found in it."""
    made(tmp_path, line(0), torn + line(2), b"garbage\n", line(3)).release()
    segment = Segment.adopt(tmp_path / "a.lines")
    assert segment is not None
    texts, _ = segment.read(segment.acknowledged, *EVERYTHING)
    assert keys(texts) == ["0", "2", "3"]


def test_what_the_heir_reads_is_read_once(tmp_path):
    """Each line is read to see whether it is whole, and the store that gets it does not read it again; what it stores is the same."""
    texts = [*lines(50), line(50)[:-40] + line(51), b"garbage\n", line(52)]
    made(tmp_path, *texts).release()
    heir = Segment.adopt(tmp_path / "a.lines")
    found, _ = heir.read(heir.acknowledged, *EVERYTHING)
    assert found == [*lines(50), line(51), line(52)]
    assert all(decode(one) == event for one, event in zip(found, objects_in(found, decode), strict=True))
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(core, "_loaded", SimpleNamespace(from_json=None))  # whoever calls it fails
        patches.setattr(json, "loads", None)
        sink = SqliteSink(tmp_path / "store")
        assert sink.send(found).stored == len(found)
        sink.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "store" / "traces.db")) as connection:
        assert [stored for (stored,) in connection.execute("SELECT line FROM events ORDER BY event")] == found


def test_the_heir_goes_on_where_the_owner_stopped(tmp_path):
    """The acknowledged position lies in the file itself."""
    segment = made(tmp_path, *lines(10))
    _, position = segment.read(segment.acknowledged, 4, 10**6)
    segment.acknowledge(position)
    segment.release()
    heir = Segment.adopt(segment.path)
    assert heir is not None
    assert heir.acknowledged == position
    assert heir.metadata_hash == "hash"
    assert heir.waiting() == 6
    with reading_lines(segment.path) as (head, file):
        assert head["acknowledged"] == f"{position:015d}"
        assert keys(file.readlines()) == ["4", "5", "6", "7", "8", "9"]


def test_a_held_file_is_not_adopted(tmp_path):
    """Who is alive is told by the lock, also within one process."""
    segment = made(tmp_path, line(0))
    assert is_held(segment.path)
    assert Segment.adopt(segment.path) is None
    segment.release()
    assert not is_held(segment.path)
    first = Segment.adopt(segment.path)
    assert first is not None
    assert Segment.adopt(segment.path) is None


def test_what_is_no_file_of_ours_is_not_adopted(tmp_path):
    """Neither a link, nor a folder, nor a pipe, nor a file with a second name, nor one that is gone."""
    made(tmp_path, line(0)).release()
    (tmp_path / "link.lines").symlink_to(tmp_path / "a.lines")
    (tmp_path / "folder.lines").mkdir()
    os.mkfifo(tmp_path / "pipe.lines")
    for name in ("link", "folder", "pipe", "gone"):
        assert Segment.adopt(tmp_path / f"{name}.lines") is None
    os.link(tmp_path / "a.lines", tmp_path / "second.lines")
    assert Segment.adopt(tmp_path / "a.lines") is None


@pytest.mark.parametrize("head", [b"", b"nonsense\n", b'{"acknowledged":"x"}\n', b"[]\n", b'{"acknowledged":"99"}\n'])
def test_a_damaged_head_costs_no_event(tmp_path, head):
    """Then all of the file is read, but for the first line."""
    path = tmp_path / "a.lines"
    path.write_bytes((head or b"\n") + line(0))
    segment = Segment.adopt(path)
    assert segment is not None
    assert keys(segment.read(segment.acknowledged, *EVERYTHING)[0]) == ["0"]
    with pytest.raises(OSError, match="gone"), reading_lines(tmp_path / "gone.lines"):
        pass


def test_deep_nesting_is_no_reason_to_drop_a_line(tmp_path):
    """What the parser is not deep enough for is sent as it is."""
    deep = b'{"traceId":"t","agentName":"a","content":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    made(tmp_path, deep).release()
    segment = Segment.adopt(tmp_path / "a.lines")
    assert segment is not None
    assert segment.read(segment.acknowledged, *EVERYTHING)[0] == [deep]


def test_a_name_is_not_taken_twice(tmp_path):
    """Making a file fails if another is being made under the same name, and leaves nothing behind."""
    (tmp_path / "a.new").touch()
    with pytest.raises(FileExistsError):
        Segment.create(tmp_path / "a.lines", HERE, "")
    with pytest.raises(FileNotFoundError):
        Segment.create(tmp_path / "none" / "a.lines", HERE, "")
    assert count_lines(tmp_path / "a.lines", 0) == 0


def test_releasing_closes_nobody_elses_file(tmp_path):
    """Where somebody closed our descriptor and its number went to another file, that one stays open; twice is once."""
    segment = made(tmp_path)
    os.close(segment.fd)
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR)
    assert other == segment.fd
    segment.release()
    segment.release()
    os.fstat(other)
    os.close(other)
    gone = made(tmp_path, name="b.lines")
    os.close(gone.fd)
    gone.release()
