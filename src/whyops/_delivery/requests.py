"""What the sender is asked for, and what it sleeps on."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from .._outbox.batch import Marks
from .._runtime.waiting import Ending
from ..events import Sink
from ..types import FlushResult

if TYPE_CHECKING:
    from concurrent.futures import Future


class Until(Enum):
    """What a request waits for, apart from the delivery of what was recorded before it."""

    FLUSHED = auto()
    CLOSED = auto()
    EXIT = auto()


class Request:
    """Somebody waits until what was recorded so far is settled. At `deadline` (monotonic) the answer is what there is then.

    `marks` and `failures` tell how things stood when the sender took up the request; `repeated`, that it has done so twice. `may_give_up`
    says that the answer may come as soon as the failure proves to be one that trying again won't end.
    """

    def __init__(self, until: Until, deadline: float | None, future: Future[FlushResult] | Ending, *, may_give_up: bool = False) -> None:
        self.until = until
        self.deadline = deadline
        self.future = future
        self.marks: Marks = {}
        self.failures = 0
        self.repeated = False
        self.may_give_up = may_give_up


class Job:
    """Something to be done with the sink, between two batches."""

    def __init__(self, function: Callable[[Sink], Any], future: Future[Any]) -> None:
        self.function = function
        self.future = future

    def run(self, open_sink: Callable[[], Sink]) -> None:
        """Do it, unless it was cancelled. What it raises belongs to whoever waits for the result."""
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self.function(open_sink()))
            except Exception as error:  # noqa: BLE001  (the boundary "whoever waits")
                self.future.set_exception(error)


class Requests:
    """What is asked for, put there also from a signal handler or a `__del__`, and a bell, which the hot path rings too.

    Recording adds to `unseen`, and rings when the sender is `asleep` and `unseen` has reached `loud_at`. The sender sets `unseen` back when
    it goes to look. `unseen` is added to without a lock: what gets lost between threads delays a bell, and the sender looks by itself
    within a second while something comes.
    """

    def __init__(self) -> None:
        self.items: deque[Request | Job] = deque()
        self.asleep = False
        self.unseen = 0
        self.loud_at = 0
        self.hang_bell()

    def hang_bell(self) -> None:
        """Hang a new bell, where another thread is going to listen: a lock of the kind that threads wait for now.

        gevent replaces threads and locks, also late in a program or in a forked worker, and an older lock would stop all greenlets.
        """
        bell = threading.Lock()
        bell.acquire()
        self._bell = bell

    def put(self, item: Request | Job) -> None:
        """Ask for something."""
        self.items.append(item)
        self.ring()

    def ring(self) -> None:
        """Wake the sender, once."""
        self.asleep = False
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    def wait(self, seconds: float, loud_at: int) -> list[Request | Job]:
        """Sleep until something is asked for, the bell rings or the time is over; return all that is asked for."""
        self.loud_at = loud_at
        self.asleep = seconds > 0
        waits = self.asleep and self.unseen < loud_at and not self.items  # else it came before the bell was listened to
        self._bell.acquire(waits, seconds if waits else -1)
        self.asleep = False
        return [self.items.popleft() for _ in range(len(self.items))]
