"""A progress bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TextIO, TypeVar

from .._render.terminal.paint import glyphs_for
from .._runtime.waiting import Care, no_care
from ._command import Terminal

R = TypeVar("R")

COLUMNS = 30
STEP_SECONDS = 0.1
GRACE_SECONDS = 0.5
"""How much longer than its time limit to wait for the sender, which may be busy with a request."""


class Progress:
    """Draws a bar on stderr, if that is a terminal, and removes it at the end of the block."""

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self._terminal = Terminal.of(stream or sys.stderr)
        self._what = what
        self._total = max(total, 1)
        self._drawn_at = 0.0

    def __enter__(self) -> Progress:  # noqa: PYI034  (`Self` is not in Python 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal.is_terminal and self._drawn_at:
            print("\r\x1b[K", end="", file=self._terminal.stream, flush=True)

    def show(self, done: int) -> None:
        """Draw the bar with `done` of the total."""
        now = time.monotonic()
        if self._terminal.is_terminal and now - self._drawn_at >= STEP_SECONDS:
            self._drawn_at = now
            full, empty = ("█", "░") if glyphs_for(self._terminal.encoding).bars != "#" else ("#", "-")
            bar = (full * min(COLUMNS * done // self._total, COLUMNS)).ljust(COLUMNS, empty)
            line = f"\r{bar} {done:,} of {self._total:,} {self._what}\x1b[K"
            print(line, end="", file=self._terminal.stream, flush=True)

    def wait(self, future: Future[R], timeout: float, otherwise: Callable[[], R], done: Callable[[], int], care: Care = no_care) -> R:
        """Wait for a future, showing the number that `done` returns; after `timeout` seconds return what `otherwise` returns.

        `care` is called meanwhile, to keep the future's work going.
        """
        until = time.monotonic() + timeout
        while not wait([future], STEP_SECONDS).done:
            if time.monotonic() >= until:
                return otherwise()
            care(future, STEP_SECONDS)
            self.show(done())
        return future.result()
