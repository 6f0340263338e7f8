"""How a line gets to its file."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from whyops._outbox import fast_write as writing

LINE = b'{"text":"nul \\u0000, raw \x00"}\n'


@pytest.fixture(autouse=True)
def _unprepared(monkeypatch):
    monkeypatch.setattr(writing, "held", None)
    monkeypatch.setattr(writing, "write", os.write)
    monkeypatch.setattr(writing, "_looked", False)


@contextmanager
def others(count: int = 2) -> Iterator[list[int]]:
    """Have threads that want the interpreter again and again, each counting how often it got it."""
    over = threading.Event()
    turns = [0] * count

    def count_turns(number: int) -> None:
        while not over.is_set():
            turns[number] += 1
            time.sleep(1e-5)

    threads = [threading.Thread(target=count_turns, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield turns
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def file(tmp_path) -> Iterator[int]:
    fd = os.open(tmp_path / "lines", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    yield fd
    os.close(fd)


def written(fd: int) -> bytes:
    return os.pread(fd, 1 << 20, 0)


def test_lines_are_written_whole_with_and_without_other_threads(file):
    """The bytes are the same, whoever writes them."""
    writing.prepare()
    assert (writing.write is os.write) == (writing.held is None)  # itself, with no call around it; threads of other tests may be left
    assert writing.write(file, LINE) == len(LINE)
    with others():
        writing.prepare()
        assert writing.held is not None
        assert writing.write is not os.write
        assert writing.write(file, LINE) == len(LINE)
    assert written(file) == 2 * LINE


def test_other_threads_do_not_get_the_interpreter_meanwhile(file):
    """With C's `write` the interpreter is held: no other thread takes a turn."""
    before = sys.getswitchinterval()
    with others() as turns:
        writing.prepare()
        sys.setswitchinterval(30)
        try:
            seen = list(turns)
            for _ in range(500):
                writing.write(file, LINE)
            assert turns == seen
        finally:
            sys.setswitchinterval(before)
    assert written(file) == 500 * LINE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to write to")
def test_a_failure_is_told_with_its_reason():
    """A full disk and a closed descriptor raise the errors that `os.write` raises."""
    full = os.open("/dev/full", os.O_WRONLY)
    with others():
        writing.prepare()
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            writing.write(full, LINE)
        os.close(full)
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            writing.write(full, LINE)


def test_a_slow_disk_stops_all_threads_once(monkeypatch):
    """After a write that waited, others let go of the interpreter, and are whole."""
    monkeypatch.setattr(writing, "SLOW_SECONDS", 0.05)
    reader, writer = os.pipe()
    with others() as turns:
        writing.prepare()
        os.set_blocking(writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(4096))
        os.set_blocking(writer, True)
        drain = subprocess.Popen([sys.executable, "-c", "import sys, time; time.sleep(.3); sys.stdin.buffer.read()"], stdin=reader)
        os.close(reader)
        assert writing.held is not None
        assert writing.write(writer, LINE) == len(LINE)
        writing.prepare()
        assert writing.held is None
        assert writing.write is os.write
        assert writing.write(writer, LINE) == len(LINE)
        assert min(turns) > 0
    os.close(writer)
    drain.wait()


class ForbiddenError(Exception):
    """What a rule of somebody's raises where ctypes is loaded."""


@pytest.mark.parametrize("trouble", [ImportError, ForbiddenError, MemoryError])
def test_where_c_can_not_be_called_it_is_written_all_the_same(file, monkeypatch, trouble):
    """A Python without ctypes, or a rule that forbids it, costs nothing but time."""

    def forbid(_name: object) -> None:
        raise trouble

    monkeypatch.setattr(ctypes, "PyDLL", forbid)
    with others():
        writing.prepare()
        assert writing._looked
        assert writing.held is None
        assert writing.write(file, LINE) == len(LINE)
    assert written(file) == LINE
