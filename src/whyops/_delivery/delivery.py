"""Delivery of one destination's events: its queue, the sender that empties it, and those who wait for that."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .._outbox.counters import Counters
from .._outbox.destination import Destination
from .._outbox.file_outbox import FileOutbox, OutboxClosed
from .._outbox.queue import Queue
from .._runtime import exits, forks, guard
from .._runtime.clock import CLOCK, Clock
from .._runtime.waiting import Ending, awaited, new_future, waited
from ..events import Sink
from ..types import FlushResult
from .log import DeliveryLog
from .pace import PACE, Pace
from .requests import Job, Request, Requests, Until
from .sender import Sender
from .sinks import Sinks
from .worker import Worker

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .._outbox.queue import Files

T = TypeVar("T")

MAX_OUTBOX_BYTES = 256_000_000
EXIT_SECONDS_FILE = 5.0
EXIT_SECONDS_MEMORY = 10.0

_parents_property: list[object] = []
"""What a forked child inherited and must neither use nor close, not even by letting go of it."""


class Delivery:
    """Takes lines from any thread, at the cost of one write, and delivers them in the background, in order and at least once.

    Nothing happens before the first call: no file, no thread, no sink. With `home` the lines wait in files there and outlive the process;
    without, or where no file can be written, they wait in memory. `exit_timeout` bounds the wait at the end of the process, in seconds
    (None: 5 with a file, 10 without). `make_orphan_sink` makes the sink for lines of dead processes whose `metadata_hash` is another.
    `folder` is where the files lie, if not in the destination's own folder under `home`: so another destination's are delivered here.
    """

    def __init__(
        self,
        destination: Destination,
        make_sink: Callable[[], Sink],
        *,
        home: Path | None,
        process_nonce: Callable[[], str],
        metadata_hash: str = "",
        outbox_max_bytes: int = MAX_OUTBOX_BYTES,
        exit_timeout: float | None = None,
        make_orphan_sink: Callable[[], Sink] | None = None,
        folder: Path | None = None,
        clock: Clock = CLOCK,
        pace: Pace = PACE,
    ) -> None:
        self.destination = destination
        self._folder = folder or (destination.folder(home) if home is not None else None)
        self._make_sinks = partial(Sinks, make_sink, make_orphan_sink or make_sink, metadata_hash)
        self._metadata_hash = metadata_hash
        self._process_nonce = process_nonce
        self._max_bytes = outbox_max_bytes
        self._exit_timeout = exit_timeout
        self._clock = clock
        self._pace = pace
        self._begin()

    def _begin(self) -> None:
        self._log = DeliveryLog(guard.notices, self.destination, self._folder, lambda: self.counts().waiting)
        self._counters = Counters(self._folder, self.destination, self._clock)
        self._queue = self._new_queue()
        self._requests = Requests()
        self._sinks = self._make_sinks()
        self._sender = Sender(self._sinks, self._queue, self._requests, self._counters, self._log, self._clock, self._pace)
        self._worker = Worker(self._sender, self._requests, self._log, self._clock.monotonic, self._on_start)
        self._exit: tuple[Ending, float] | None = None

    def _new_queue(self, also: Callable[[bytes], None] | None = None) -> Queue:
        return Queue(
            self._folder,
            self._new_file,
            max_bytes=self._max_bytes,
            on_memory=self._log.in_memory,
            clock=self._clock,
            disk_seconds=self._pace.disk,
            also=also,
        )

    def _new_file(self, folder: Path) -> Files:
        return FileOutbox(
            folder, self.destination, self._metadata_hash, nonce=self._process_nonce, max_bytes=self._max_bytes, clock=self._clock
        )

    def _on_start(self) -> None:
        """Do nothing: no other destination has to hear that this one's thread has started."""

    @property
    def first(self) -> Delivery:
        """Return the delivery to the destination that lines are recorded for: this one."""
        return self

    # --- recording -------------------------------------------------------------------------------

    def record(self, line: bytes) -> None:
        """Take a line. Never waits for anything but one write to a local file."""
        outbox = self._queue.current
        if outbox is None:
            self._register()
            outbox = self._queue.open()
        try:
            is_taken = outbox.append(line)
        except (OSError, OutboxClosed) as error:
            is_taken = self._queue.append_elsewhere(line, outbox, error)
        if not is_taken:
            self.drop(line)
        requests = self._requests
        requests.unseen += len(line)
        if self._worker.thread is None or (requests.asleep and requests.unseen >= requests.loud_at):
            self._worker.wake()

    def drop(self, line: bytes) -> None:
        """Count a line that there is no room for. From any thread."""
        self._counters.drop(line)
        self._log.full()

    def _register(self) -> None:
        forks.tell_children(self)
        exits.before_exit(self)

    def lose(self, trace_id: str, reason: str, events: int) -> None:
        """Count events that could not be recorded; `trace_id` is empty where nobody knows whose they were. From any thread."""
        self._counters.lose(trace_id, reason, events)
        self._tell_counts()

    def ignore(self, reason: str) -> None:
        """Count a trace of another process that is not continued here. From any thread.

        The first is written down at once: the process of a job may record nothing more, and end without exit hooks.
        """
        is_first = not self._counters.total.not_continued
        self._counters.ignore(reason)
        if is_first:
            self._counters.save()
        if self._counters.has_news():
            self._tell_counts()

    def _tell_counts(self) -> None:
        """Have the numbers written down, soon, where nothing else is to be done."""
        self._register()
        if self._worker.thread is None:
            self._worker.wake()

    # --- waiting for it --------------------------------------------------------------------------

    def flush(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Deliver what was recorded before this call, and what dead processes have left; the future contains the numbers.

        After `timeout` seconds it contains them as they are then; if it `may_give_up`, as soon as the key or the address proves wrong.
        """
        return self._ask(Until.FLUSHED, timeout, may_give_up=may_give_up)

    def close(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Flush, then let go of the thread, the sink and the files. A later `record` opens all again."""
        return self._ask(Until.CLOSED, timeout, may_give_up=may_give_up)

    def submit(self, job: Callable[[Sink], T]) -> Future[T]:
        """Call `job` with the sink, on the sender's thread, between two batches."""
        future: Future[T] = new_future()
        self._put(Job(job, future))
        return future

    def wait(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Wait for what the sender is to answer; past the limit return what `otherwise` returns.

        Where no thread can be started, this one does the sender's work meanwhile.
        """
        return waited(future, timeout, otherwise, self.attend)

    async def wait_async(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Await what the sender is to answer, as `wait` does; where no thread can be started, the event loop waits as well."""
        return await awaited(future, timeout, otherwise, self.attend)

    def attend(self, future: Future[Any], seconds: float) -> None:
        """See that somebody is at work: the sender's thread, another one in its place, or else this one, for so long at most."""
        self._worker.attend(future.done, seconds)

    def is_running(self) -> bool:
        """Tell whether a thread is at work for it."""
        return self._worker.thread is not None

    def counts(self) -> FlushResult:
        """Return what became of this process's events so far."""
        return self._sender.counts()

    def settled(self) -> int:
        """Return how many events will not be sent again: whether that changes tells whether any get through."""
        total = self._counters.total
        return total.delivered + total.accepted + total.sampled_out + total.rejected

    def _ask(self, until: Until, timeout: float | None, *, may_give_up: bool) -> Future[FlushResult]:
        future: Future[FlushResult] = new_future()
        request = Request(until, None if timeout is None else self._clock.monotonic() + timeout, future, may_give_up=may_give_up)
        if self._is_at_rest() and (self._folder is None or not os.path.exists(self._folder)):  # noqa: PTH110  (this one never raises)
            future.set_result(self.counts())
        else:
            self._put(request)
        return future

    def _put(self, item: Request | Job) -> None:
        self._register()
        self._requests.put(item)
        self._worker.wake()

    def _is_at_rest(self) -> bool:
        return self._queue.is_unused() and self._worker.thread is None and not self._counters.has_news()

    # --- forks and the end -----------------------------------------------------------------------

    def after_fork_in_child(self) -> None:
        """Leave everything to the parent, and begin anew with the next event."""
        _parents_property.extend([self._sinks, self._queue.memory])
        for outbox in self._queue.files:
            outbox.forget()
        self._begin()

    def exit_seconds(self) -> float:
        """Return for how long the end of the process may wait."""
        default = EXIT_SECONDS_FILE if self._queue.is_on_disk() else EXIT_SECONDS_MEMORY
        return default if self._exit_timeout is None else self._exit_timeout

    async def deliver_at_end(self) -> None:
        """Deliver what can be, within the time for the end of the process: for programs that are told of it, and then end without hooks."""
        seconds = self.exit_seconds()
        await self.wait_async(self.flush(seconds), seconds, self.counts)

    def begin_exit(self) -> None:
        """Have all delivered that can be, without waiting for it."""
        if not self._is_at_rest():
            self._worker.is_leaving = True
            ending, deadline = self._exit = Ending(), self._clock.monotonic() + self.exit_seconds()
            self._put(Request(Until.EXIT, deadline, ending))

    def finish_exit(self) -> None:
        """Wait for it until the limit, and say what is left."""
        begun, self._exit = self._exit, None
        if begun is None:
            return
        ending, deadline = begun
        ending.wait(max(0.0, deadline - self._clock.monotonic()) + 0.1, self._worker.attend)
        in_memory = self._queue.memory.lines()
        if waiting := self.counts().waiting:
            self._log.left_waiting(waiting, in_memory=len(in_memory))
        if self._folder is not None and in_memory:
            self._counters.lose_all(in_memory, "in memory when the process ended")
            self._counters.save_for_good()
