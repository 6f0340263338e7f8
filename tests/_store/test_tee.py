"""A sink that also keeps what it delivered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests._store.lines import line
from whyops._store.reader import StoreReader
from whyops._store.sink import SqliteSink
from whyops._store.tee import KeepingSink
from whyops.events import Receipt, Refusal, RetryLater


class Far:
    """A sink far away, which can be told to fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.deadline: float | None = None
        self.closed = False

    def send(self, lines: Sequence[bytes]) -> Receipt:
        if self.fails:
            raise RetryLater("down")
        return Receipt(stored=len(lines) - 1, refused=(Refusal(0, "no"),))

    def hurry(self, deadline: float | None) -> None:
        self.deadline = deadline

    def close(self) -> None:
        self.closed = True


def test_what_was_taken_is_kept(home: Path) -> None:
    """What the other sink refused is not kept; all else is, and its receipt is passed on."""
    far = Far()
    sink = KeepingSink(far, SqliteSink(home))
    lines = [line(number, "t") for number in range(3)]
    assert sink.send(lines).stored == 2
    assert StoreReader(home).lines("t") == lines[1:]
    sink.hurry(5.0)
    sink.close()
    assert (far.deadline, far.closed) == (5.0, True)


def test_what_was_not_taken_is_not_kept(home: Path) -> None:
    """Where the other sink fails, nothing is kept yet: the lines come again."""
    sink = KeepingSink(Far(fails=True), SqliteSink(home))
    with pytest.raises(RetryLater):
        sink.send([line(1, "t")])
    assert StoreReader(home).count() == 0
    sink.close()
