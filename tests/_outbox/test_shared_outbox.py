"""One file, several destinations: each has its own position, its own bound and its own end."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests._delivery.parts import HERE, NONCE, HandClock, key, keys, line, lines
from whyops._outbox.destination import Destination
from whyops._outbox.erase import erase
from whyops._outbox.file_outbox import OutboxClosed
from whyops._outbox.follow import OutboxFollower
from whyops._outbox.inspect import inspect_outboxes, waiting_lines
from whyops._outbox.segment import Segment
from whyops._outbox.shared_file import Reader, SharedFile
from whyops._outbox.shared_outbox import SharedOutbox
from whyops._outbox.watch import OutboxWatch

THERE = Destination("otlp:http://collector.test/v1/traces", "agent", "")
EVERYTHING = (10**6, 10**9)


class Pair:
    """The outboxes of two destinations, and what they have dropped."""

    def __init__(self, home: Path, *, max_bytes: int = 10**7, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock()
        self.folders = [destination.folder(home) for destination in (HERE, THERE)]
        self.dropped: tuple[list[bytes], list[bytes]] = ([], [])
        self.full: list[bytes] = []
        self.without_links: list[OSError] = []
        readers = [Reader(folder, destination, "m") for folder, destination in zip(self.folders, (HERE, THERE), strict=True)]
        options: dict[str, Any] = {"max_bytes": max_bytes, "clock": self.clock.clock()}
        self.shared = SharedFile(readers, nonce=lambda: NONCE, on_full=self.full.append, on_no_links=self.without_links.append, **options)
        self.first, self.second = (
            SharedOutbox(self.shared, index, folder, on_drop=self.dropped[index].append, **options)
            for index, folder in enumerate(self.folders)
        )

    def files(self, index: int) -> list[str]:
        return sorted(path.suffix for path in self.folders[index].iterdir())


def read(outbox: SharedOutbox) -> list[str]:
    return [name for shelf in outbox.shelves() for name in keys(shelf.read(shelf.acknowledged, *EVERYTHING)[0])]


def settle(outbox: SharedOutbox) -> None:
    for shelf in outbox.shelves():
        shelf.acknowledge(shelf.end())


def test_a_line_is_written_once_and_read_by_each(home: Path) -> None:
    """One file on the disk, with a name in both folders; a position of one is none of the other's."""
    pair = Pair(home)
    for text in lines(3):
        assert pair.first.append(text)
    (first,), (second,) = (list(folder.glob("*.shared")) for folder in pair.folders)
    assert first.samefile(second)
    settle(pair.first)
    assert (read(pair.first), read(pair.second)) == ([], ["0", "1", "2"])
    assert [shelf.waiting() for shelf in (*pair.first.shelves(), *pair.second.shelves())] == [0, 3]


def test_a_file_goes_when_all_have_it(home: Path) -> None:
    """Who is through removes its own part; the lines stay for the other, also for another process."""
    pair = Pair(home)
    pair.first.append(line(0))
    settle(pair.first)
    assert pair.first.close()
    assert not pair.second.close()
    assert (pair.files(0), pair.files(1)) == ([], [".lines", ".shared"])
    (path,) = pair.folders[1].glob("*.lines")
    heir = Segment.adopt(path)
    assert heir is not None
    assert keys(heir.read(heir.acknowledged, *EVERYTHING)[0]) == ["0"]
    heir.remove()
    assert pair.files(1) == []


def test_each_follows_whoever_begins_a_new_file(home: Path) -> None:
    """However many files another's thread began meanwhile, none is left out, and none stays locked."""
    pair = Pair(home, max_bytes=40_000)
    names = []
    for number in range(40):
        pair.first.append(line(number, size=1000))
        names.append(f"{number}")
        pair.first.tend()
    assert len(pair.second.shelves()) > 3
    assert read(pair.second) == names[-len(read(pair.second)) :]
    settle(pair.second)
    pair.clock.now += 10
    pair.second.tend()
    pair.clock.now += 10
    pair.second.tend()
    assert len(pair.second.shelves()) == 1
    pair.first.close()
    pair.second.close()
    for folder in pair.folders:
        assert None not in [Segment.adopt(path) for path in folder.glob("*.lines")]


def test_one_that_is_away_drops_its_own_oldest_files(home: Path) -> None:
    """What it holds back is bounded, and counted line by line for it alone; the other gets all."""
    pair = Pair(home, max_bytes=40_000)
    arrived: list[str] = []
    dropped = False
    for number in range(200):
        assert pair.first.append(line(number, size=1000))
        pair.first.tend()
        arrived += read(pair.first)
        settle(pair.first)
        dropped = pair.second.tend() or dropped
        pair.clock.now += 1
    assert arrived == [f"{number}" for number in range(200)]
    assert dropped
    assert pair.dropped[0] == pair.full == []
    assert [key(text) for text in pair.dropped[1]] + read(pair.second) == arrived
    held = sum(path.stat().st_size for path in pair.folders[1].iterdir())
    assert held < 60_000
    assert sum(path.stat().st_size for path in pair.folders[0].iterdir()) < 30_000


def test_what_others_have_delivered_is_no_excess(home: Path) -> None:
    """However much is settled in the files of other processes, nothing that waits is dropped for it."""
    others = [Pair(home, max_bytes=10**6) for _ in range(5)]
    for pair in others:
        assert all(pair.first.append(line(number, size=1000)) for number in range(20))
        settle(pair.first)
        settle(pair.second)
    late = Pair(home, max_bytes=40_000)
    for number in range(30):
        assert late.first.append(line(number, size=1000))
        assert (late.first.tend(), late.second.tend()) == (False, False)
    assert read(late.first) == read(late.second) == [f"{number}" for number in range(30)]
    assert late.dropped == ([], [])


def test_there_is_no_more_room_than_somebody_looks_after(home: Path) -> None:
    """While nobody tends the file, the bound holds for all."""
    pair = Pair(home, max_bytes=5_000)
    taken = [pair.first.append(line(number, size=1000)) for number in range(9)]
    assert taken.count(True) == 4
    assert len(pair.full) == 5
    pair.second.tend()
    assert pair.first.append(line("more"))


@pytest.mark.parametrize("closes", ["first", "second"])
def test_who_closes_ends_the_file_for_writing_alone(home: Path, closes: str) -> None:
    """The next line is told that it is too late, and nothing that was written is lost to the other."""
    pair = Pair(home)
    pair.first.append(line(0))
    closing, other = (pair.first, pair.second) if closes == "first" else (pair.second, pair.first)
    closing.close()
    with pytest.raises(OutboxClosed):
        pair.first.append(line(1))
    other.tend()
    assert read(other) == ["0"]
    settle(other)
    other.tend()
    assert other.is_over()


def test_without_links_each_has_lines_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a line is written once for each, which is said; positions and ends are the same."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    pair = Pair(home, max_bytes=40_000)
    for number in range(30):
        pair.first.append(line(number, size=1000))
        pair.first.tend()
    assert len(pair.without_links) == 1
    assert read(pair.second) == [f"{number}" for number in range(30)]
    files = [path for folder in pair.folders for path in folder.glob("*.shared")]
    assert {path.stat().st_nlink for path in files} == {1}
    settle(pair.first)
    pair.first.close()
    assert (pair.files(0), len(read(pair.second))) == ([], 30)


def test_who_only_looks_sees_each_event_once(home: Path) -> None:
    """Also one that waits for both; as long as it waits for one."""
    watch, follower = OutboxWatch(home), OutboxFollower(home)
    pair = Pair(home)
    for text in lines(3):
        pair.first.append(text)
    assert keys(follower.lines()) == ["0", "1", "2"]
    assert keys(list(waiting_lines(home))) == ["0", "1", "2"] == [event.key for event in watch.events()]
    (shelf,) = pair.second.shelves()
    shelf.acknowledge(shelf.read(0, 2, 10**6)[1])
    assert len(list(waiting_lines(home))) == 3
    settle(pair.first)
    assert keys(list(waiting_lines(home))) == ["2"] == [event.key for event in watch.events()]
    assert {(one.destination, one.waiting, one.orphaned) for one in inspect_outboxes(home)} == {(HERE, 0, 0), (THERE, 1, 0)}
    pair.first.append(line("new"))
    pair.first.close()
    assert keys(follower.lines()) == ["new"]
    settle(pair.second)
    assert keys(list(waiting_lines(home))) == ["new"]


def test_erasing_takes_an_event_from_each(home: Path) -> None:
    """Each file that is left is replaced, and read as before; one with nothing else in it goes."""
    pair = Pair(home)
    for text in (line(0), line(1, "other"), line(2)):
        pair.first.append(text)
    (shelf,) = pair.second.shelves()
    shelf.acknowledge(shelf.read(0, 1, 10**6)[1])
    pair.first.close()
    pair.second.close()
    assert erase(home, lambda event, _: event.trace_id == "t", {"t"}) == 2
    assert keys(list(waiting_lines(home))) == ["1"]
    assert (pair.files(0), pair.files(1)) == ([".lines"], [".lines"])
    (path,) = pair.folders[1].glob("*.lines")
    heir = Segment.adopt(path)
    assert heir is not None
    assert keys(heir.read(heir.acknowledged, *EVERYTHING)[0]) == ["1"]
    heir.release()
    assert erase(home, lambda *_: True, {"other"}) == 1
    assert (pair.files(0), pair.files(1)) == ([], [])


def test_a_forked_child_leaves_all_to_the_parent(home: Path) -> None:
    """It lets go of every descriptor, and removes nothing."""
    pair = Pair(home)
    pair.first.append(line(0))
    before = [pair.files(0), pair.files(1)]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            pair.first.forget()
            pair.second.forget()
            code = 0 if [pair.files(0), pair.files(1)] == before else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    pair.first.append(line(1))
    assert read(pair.first) == read(pair.second) == ["0", "1"]


def test_writers_and_both_readers_at_once(home: Path) -> None:
    """Two threads write while two tend and read: each reader has every line once."""
    pair = Pair(home, max_bytes=10**6)
    writing = True
    got: tuple[list[str], list[str]] = ([], [])

    def write(name: str) -> None:
        for number in range(500):
            while not pair.first.append(line(f"{name}{number}", size=500)):
                pass

    def follow(outbox: SharedOutbox, names: list[str]) -> None:
        more = True
        while more:
            more = writing
            outbox.tend()
            for shelf in outbox.shelves():
                texts, end = shelf.read(shelf.acknowledged, *EVERYTHING)
                names += keys(texts)
                shelf.acknowledge(end)

    def thread(function: Callable[..., None], *arguments: object) -> threading.Thread:
        made = threading.Thread(target=function, args=arguments)
        made.start()
        return made

    readers = [thread(follow, pair.first, got[0]), thread(follow, pair.second, got[1])]
    writers = [thread(write, "a"), thread(write, "b")]
    for writer in writers:
        writer.join()
    writing = False
    for reader in readers:
        reader.join()
    expected = sorted(f"{name}{number}" for name in "ab" for number in range(500))
    assert sorted(got[0]) == sorted(got[1]) == expected
    assert pair.dropped == ([], [])
