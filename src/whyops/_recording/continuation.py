"""What goes on in a trace piece by piece, each called by a server: unlike a block's, nothing of it is current in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .blocks import TraceBlock, begin, end
from .frames import Frame
from .generators import Steps

R = TypeVar("R")


class Continuation:
    """Runs functions in a trace, with nothing of it left current behind them, until it is ended."""

    __slots__ = ("_frame", "_is_over", "_steps", "_trace")

    def __init__(self, trace: TraceBlock) -> None:
        self._trace = trace
        run = begin(trace)
        self._frame = Frame(run, run.sent_from, trace, None, is_trace=True)
        self._steps = Steps(self._frame)
        self._is_over = False

    def run(self, function: Callable[[], R]) -> R:
        """Run a function in the trace."""
        return self._steps.take(lambda _: function(), None)

    def end(self, error: BaseException | None) -> None:
        """End it, once: with an exception that leaves it, or with none."""
        if not self._is_over:
            self._is_over = True
            self._frame.over = True
            end(self._trace, self._frame.trace, error)
