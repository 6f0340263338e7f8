"""The runs that are open: ids, places and start times, no payloads.

A run is forgotten when it ends. One that never ends (LangChain tells nothing of a cancelled model, nor before 1.8 of a tool) goes with
the run around it that was cancelled, or when all has been quiet under its root for long, or when too many are open.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from ..._recording.tool_call import ToolCall
from ..._recording.trace import Trace
from . import _frames
from ._frames import BodyFrame

MOST_OPEN = 20_000
QUIET_SECONDS = 3600.0
"""How long nothing may have happened under a root before what is open there is given up."""
QUIET_SECONDS_AFTER_ROOT = 300.0
"""The same, once the root itself has ended: a child may end later than its root."""
SWEEP_SECONDS = 30.0


class Root:
    """What the runs under one root share: which of them are open, and when one of them was last heard of."""

    __slots__ = ("ended", "heard_at", "open")

    def __init__(self, now: float) -> None:
        self.open: dict[UUID, Run] = {}
        self.ended = False
        self.heard_at = now


class Run:
    """One run of LangChain's that has started. `parent_id` is the span that it runs in, `inner_id` the one that runs inside it do."""

    __slots__ = (
        "asked",
        "call",
        "expected",
        "first_token_ns",
        "frame",
        "handler",
        "hides_result",
        "id",
        "inner_id",
        "labels",
        "parent",
        "parent_id",
        "root",
        "started_ns",
        "trace",
    )

    def __init__(self, id: UUID, handler: object, trace: Trace, parent: Run | None, root: Root) -> None:  # noqa: A002  (LangChain's name)
        self.id = id
        self.handler = handler
        self.trace = trace
        self.parent = parent
        self.root = root
        self.parent_id: str | None = None
        self.inner_id: str | None = None
        self.labels: dict[str, object] = {}
        self.started_ns = 0
        self.first_token_ns: int | None = None
        self.asked: tuple[object, object] | None = None
        self.call: ToolCall | None = None
        self.expected: tuple[type[BaseException], ...] = ()
        self.hides_result = False
        self.frame: BodyFrame | None = None

    def is_under(self, other: Run) -> bool:
        """Tell whether `other` is around this run, at any remove."""
        above = self.parent
        while above is not None and above is not other:
            above = above.parent
        return above is not None

    def close(self, reason: str | None = None) -> None:
        """Let nothing stay current or open because of this run; a call without a result is recorded as interrupted."""
        if self.frame is not None:
            _frames.leave(self.frame)
            self.frame = None
        if self.call is not None and reason is not None:
            self.call.interrupt(reason)


class Runs:
    """The open runs of all handlers in the process, so that two handlers of one client record no run twice."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # greenlets never wait for one that was made before gevent took over
        self._runs: dict[UUID, tuple[Run, ...]] = {}
        self._next_sweep = 0.0

    def __len__(self) -> int:
        return len(self._runs)

    def find(self, run_id: UUID | None, handler: object) -> Run | None:
        """Return the open run of this id that `handler` records, or else another handler."""
        if run_id is None:
            return None
        runs = self._runs.get(run_id, ())
        return next((run for run in runs if run.handler is handler), runs[0] if runs else None)

    def own(self, run_id: UUID, handler: object) -> Run | None:
        """Return the open run of this id if `handler` records it."""
        return next((run for run in self._runs.get(run_id, ()) if run.handler is handler), None)

    def new_root(self) -> Root:
        """Return what the runs of a new root share."""
        return Root(self._clock())

    def add(self, run: Run) -> bool:
        """Take note of a run; False if it is known already, as when one event comes twice or two handlers of one client hear it."""
        now = self._clock()
        given_up: list[Run] = []
        with self._lock:
            known = self._runs.get(run.id, ())
            if any(other.handler is run.handler or other.trace.recorder is run.trace.recorder for other in known):
                return False
            self._runs[run.id] = (*known, run)
            run.root.open[run.id] = run
            run.root.heard_at = now
            if now >= self._next_sweep or len(self._runs) > MOST_OPEN:
                self._next_sweep = now + SWEEP_SECONDS
                given_up = list(self._given_up(now))
                self._drop(given_up)
        for late in given_up:
            late.close("its end was never told")
        return True

    def take(self, run_id: UUID, handler: object) -> Run | None:
        """Return the run that ends, and forget it; None if `handler` does not record it, or its end has come before."""
        with self._lock:
            run = self.own(run_id, handler)
            if run is not None:
                self._drop([run])
                run.root.heard_at = self._clock()
                run.root.ended = run.root.ended or run.parent is None
            return run

    def take_inside(self, run: Run) -> list[Run]:
        """Return the open runs inside `run`, innermost first, and forget them."""
        with self._lock:
            inside = [other for other in reversed(run.root.open.values()) if other.is_under(run)]
            self._drop(inside)
        return inside

    def _drop(self, runs: list[Run]) -> None:
        for run in runs:
            rest = tuple(other for other in self._runs.get(run.id, ()) if other is not run)
            if rest:
                self._runs[run.id] = rest
            else:
                self._runs.pop(run.id, None)
            run.root.open.pop(run.id, None)

    def _given_up(self, now: float) -> Iterator[Run]:
        """Give the runs whose root has been quiet for too long, and the oldest of too many."""
        too_many = len(self._runs) - MOST_OPEN * 9 // 10 if len(self._runs) > MOST_OPEN else 0
        for index, runs in enumerate(self._runs.values()):
            for run in runs:
                most = QUIET_SECONDS_AFTER_ROOT if run.root.ended else QUIET_SECONDS
                if index < too_many or now - run.root.heard_at > most:
                    yield run


open_runs = Runs()


def _after_fork_in_child() -> None:
    open_runs.__init__()  # type: ignore[misc]  # what runs in the parent does not run here, and another thread may have held the lock


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
