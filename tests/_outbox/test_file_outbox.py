"""The files that a process writes: one after the other, bounded, never a stranger's."""

from __future__ import annotations

import os
import re
import resource
import signal
import stat
import threading
from pathlib import Path

import pytest

from tests._delivery.parts import HERE, NONCE, HandClock, keys, line
from whyops._outbox import file_outbox
from whyops._outbox.file_outbox import FileOutbox, OutboxClosed
from whyops._outbox.segment import Segment


def made(folder: Path, clock: HandClock | None = None, max_bytes: int = 10**9) -> FileOutbox:
    return FileOutbox(folder, HERE, "", nonce=lambda: NONCE, max_bytes=max_bytes, clock=(clock or HandClock()).clock())


def read(outbox: FileOutbox) -> list[str]:
    return [key for shelf in outbox.shelves() for key in keys(shelf.read(shelf.acknowledged, 10**6, 10**9)[0])]


def drain(segment: Segment) -> None:
    segment.acknowledge(segment.end())


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(file_outbox, "SEGMENT_BYTES", 1000)


def test_the_name_sorts_by_time_and_names_the_process(tmp_path):
    """Time of making, nonce, number: oldest first in a listing, and a viewer finds the process's file by its nonce."""
    outbox = made(tmp_path / "home" / "outbox" / "x")
    name = outbox.shelves()[0].path.name
    assert re.fullmatch(rf"000000001000000-{NONCE}-\d+\.lines", name)
    another = made(tmp_path / "home" / "outbox" / "x")
    assert another.shelves()[0].path.name > name
    for folder in (tmp_path / "home", tmp_path / "home" / "outbox", tmp_path / "home" / "outbox" / "x"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_large_file_is_followed_by_another(tmp_path, small_segments):
    """The descriptor keeps its number, is not inherited, and the lines stay in order; drained ones go after a moment."""
    clock = HandClock()
    outbox = made(tmp_path, clock)
    number = outbox._fd
    for index in range(30):
        assert outbox.append(line(index))
        outbox.tend()
    first, *_, last = segments = outbox.shelves()
    assert len(segments) > 2
    assert outbox._fd == number
    assert not os.get_inheritable(number)
    assert read(outbox) == [str(index) for index in range(30)]
    drain(first)
    outbox.tend()
    assert first.path.exists()
    clock.now += 3
    outbox.tend()
    assert not first.path.exists()
    assert last.path.exists()
    assert [segment.path for segment in outbox.shelves()] == [segment.path for segment in segments[1:]]


def test_a_line_that_is_written_late_is_not_lost(tmp_path, small_segments):
    """Who began to write before the change of file still finds a reader."""
    clock = HandClock()
    outbox = made(tmp_path, clock)
    late = os.dup(outbox._fd)
    outbox.append(line(0, size=2000))
    outbox.tend()
    old = outbox.shelves()[0]
    drain(old)
    os.write(late, line("late"))
    os.close(late)
    clock.now += 3
    outbox.tend()
    assert read(outbox) == ["late"]


def test_a_line_that_comes_too_late_for_a_closed_outbox_is_told_so(tmp_path):
    """The writer learns it, and writes elsewhere."""
    outbox = made(tmp_path)
    assert outbox.close()
    with pytest.raises(OutboxClosed):
        outbox.append(line(0))
    assert list(tmp_path.iterdir()) == []


def test_closing_leaves_what_is_not_delivered(tmp_path, small_segments):
    """Those files stay, unlocked, for whoever comes next."""
    outbox = made(tmp_path)
    for index in range(30):
        outbox.append(line(index))
        outbox.tend()
    drain(outbox.shelves()[0])
    left = [segment.path for segment in outbox.shelves()[1:]]
    assert not outbox.close()
    assert sorted(tmp_path.iterdir()) == left
    assert all(Segment.adopt(path) for path in left)


def test_it_is_bounded_with_all_that_lies_in_the_folder(tmp_path):
    """Beyond the limit a line is not taken, until there is room again."""
    (tmp_path / "another process's.lines").write_bytes(b"x" * 5000)
    outbox = made(tmp_path, max_bytes=8000)
    taken = 0
    while outbox.append(line(taken)):
        taken += 1
    assert 10 < taken < 30
    outbox.tend()
    assert not outbox.append(line("more"))
    (tmp_path / "another process's.lines").unlink()
    outbox.tend()
    assert outbox.append(line("more"))


def test_what_is_delivered_leaves_its_room_to_others(tmp_path):
    """However small the outbox, it takes any number of lines one after the other, as long as they are delivered."""
    clock = HandClock()
    outbox = made(tmp_path, clock, max_bytes=20_000)
    for number in range(1000):
        assert outbox.append(line(number))
        for segment in outbox.shelves():
            drain(segment)
        clock.now += 1
        outbox.tend()


def test_what_others_have_delivered_takes_no_room(tmp_path):
    """Many processes each keep a file that they still write to: what is settled in it hinders nobody, what waits in it does."""
    others = [made(tmp_path, max_bytes=100_000) for _ in range(5)]
    for outbox in others:
        for number in range(20):
            assert outbox.append(line(number, size=200))
    late = made(tmp_path, max_bytes=20_000)
    assert not late.append(line("one"))
    for outbox in others:
        drain(outbox.shelves()[0])
    late.tend()
    assert late.append(line("one"))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) > 20_000


def test_a_line_that_is_cut_short_is_an_error(tmp_path):
    """The writer learns that the disk took only a part; what others wrote behind it is still read."""
    outbox = made(tmp_path)
    outbox.append(line(0))
    size = outbox.shelves()[0].end()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # which would end the tests
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        with pytest.raises(OSError, match="only a part"):
            outbox.append(line(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, before)
    outbox.append(line(2))
    assert read(outbox) == ["0", "2"]


def test_an_outbox_that_was_given_up_ends(tmp_path):
    """After a moment for late writers its torn end is passed over, and it is over once it is drained."""
    clock = HandClock()
    outbox = made(tmp_path, clock)
    os.write(outbox._fd, line(0) + line(1)[:-9])
    outbox.give_up()
    segment = outbox.shelves()[0]
    texts, position = segment.read(segment.acknowledged, 10, 10**6)
    assert keys(texts) == ["0"]
    segment.acknowledge(position)
    outbox.tend()
    assert segment.read(position, 10, 10**6) == ([], position)
    assert not outbox.is_over()
    clock.now += 3
    outbox.tend()
    segment.acknowledge(segment.read(position, 10, 10**6)[1])
    assert outbox.is_over()
    assert outbox.close()


def test_many_threads_write_whole_lines(tmp_path, small_segments):
    """Nobody's line is torn by another's, while files change under them."""
    outbox = made(tmp_path)
    done = threading.Event()

    def write(name: int) -> None:
        for index in range(200):
            outbox.append(line(f"{name}-{index}", size=index))

    threads = [threading.Thread(target=write, args=[name]) for name in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        outbox.tend()
    done.set()
    assert sorted(read(outbox)) == sorted(f"{name}-{index}" for name in range(8) for index in range(200))


def test_forgetting_leaves_the_files_to_the_parent(tmp_path):
    """In a forked child all descriptors are closed, twice if need be, and the files stay."""
    outbox = made(tmp_path)
    fds = [outbox._fd, outbox.shelves()[0].fd]
    outbox.append(line(0))
    outbox.forget()
    outbox.forget()
    for fd in fds:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
    assert len(list(tmp_path.iterdir())) == 1


def test_letting_go_of_it_cleans_up(tmp_path):
    """An outbox that nobody refers to any more closes its files, and removes them if they are drained."""
    outbox = made(tmp_path)
    del outbox
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="is no folder"):
        made(Path(__file__))


def test_a_folder_that_is_not_ours_is_not_used(tmp_path):
    """Neither one that others may write to, nor one inside such a folder, where others could put theirs in its place."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for folder in (tmp_path / "open", tmp_path / "open" / "inside"):
        with pytest.raises(OSError, match="can be written by other users"):
            made(folder)
