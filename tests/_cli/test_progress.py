"""The line that tells how far a command is."""

from __future__ import annotations

import io
import time
from concurrent.futures import Future
from threading import Timer

from whyops._cli._progress import COLUMNS, Progress


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal() -> None:
    """On a terminal the bar grows, is drawn over itself, and is gone in the end."""
    screen = Screen()
    with Progress("events", 1000, screen) as progress:
        progress.show(250)
        progress.show(300)  # too soon to be drawn
    drawn = screen.getvalue().split("\r")
    assert drawn[1] == "█" * 7 + "░" * (COLUMNS - 7) + " 250 of 1,000 events\x1b[K"
    assert drawn[2:] == ["\x1b[K"]


def test_nothing_elsewhere() -> None:
    """Into a pipe or a file nothing is written."""
    stream = io.StringIO()
    with Progress("events", 10, stream) as progress:
        progress.show(5)
    assert stream.getvalue() == ""


def test_waiting() -> None:
    """While a future is waited for, the bar follows; its result is returned."""
    screen = Screen()
    future: Future[str] = Future()
    began = time.monotonic()
    Timer(0.35, future.set_result, ["done"]).start()
    with Progress("events", 0, screen) as progress:
        assert progress.wait(future, 30, lambda: "late", lambda: int((time.monotonic() - began) * 10)) == "done"
    assert screen.getvalue().count("\r") >= 3


def test_no_longer_than_allowed() -> None:
    """Who never answers is not waited for."""
    with Progress("events", 1, io.StringIO()) as progress:
        assert progress.wait(Future[str](), 0.2, lambda: "late", lambda: 0) == "late"
