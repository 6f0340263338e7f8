"""Delivery of one destination's events: the outbox, the thread that empties it, and those who wait for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .._outbox.counters import Tally
from .._outbox.destination import Destination
from .._outbox.file_outbox import FileOutbox, OutboxClosed
from .._outbox.memory_outbox import MemoryOutbox
from .._outbox.queue import Backlog
from .._runtime import exits, forks, guard, locks
from .._runtime.clock import CLOCK, Clock
from .._runtime.waiting import awaited, new_future, waited
from ..events import Sink
from ..types import FlushResult
from .log import Trouble
from .requests import Inbox, Job, Request, Until
from .sender import Sender, Sinks

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

MAX_OUTBOX_BYTES = 256_000_000
MAX_MEMORY_BYTES = 64_000_000
DISK_SECONDS = 60.0
EXIT_SECONDS_FILE = 5.0
EXIT_SECONDS_MEMORY = 10.0

_parents_property: list[object] = []
"""What a forked child inherited and must neither use nor close, not even by letting go of it."""


class Delivery:
    """Takes lines from any thread, at the cost of one write, and delivers them in the background, in order and at least once.

    Nothing happens before the first call: no file, no thread, no sink. With `home` the lines wait in files there and outlive the process;
    without, or where no file can be written, they wait in memory. `exit_timeout` bounds the wait at the end of the process, in seconds
    (None: 5 with a file, 10 without). `make_leftover_sink` makes the sink for lines of dead processes whose `metadata_hash` is another.
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
        make_leftover_sink: Callable[[], Sink] | None = None,
        folder: Path | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self.destination = destination
        self._folder = folder or (destination.folder(home) if home is not None else None)
        self._sinks = Sinks(make_sink, make_leftover_sink or make_sink, metadata_hash)
        self._nonce = process_nonce
        self._max_bytes = outbox_max_bytes
        self._exit_timeout = exit_timeout
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._opening = threading.RLock()  # a `__del__` may record while the same thread opens the outbox
        self._start_lock: threading.Lock | None = None
        self._thread: threading.Thread | None = None
        self._inbox = Inbox()
        self._exit_request: Request | None = None
        self._leaving = False
        self._memory_since = 0.0
        self._memory = MemoryOutbox(min(self._max_bytes, MAX_MEMORY_BYTES))
        self._outbox: FileOutbox | MemoryOutbox | None = None
        self._backlog = Backlog(self._folder, self._memory, self._clock)
        self._trouble = Trouble(guard.notices, self.destination, self._folder, lambda: self.counts().waiting)
        self._tally = Tally(self._folder, self.destination, self._clock)
        self._sender = Sender(
            self._sinks,
            self._backlog,
            self._inbox,
            self._tally,
            self._trouble,
            clock=self._clock,
            on_disk_trouble=self._use_memory,
            on_quiet=self._try_files_again,
            on_closed=self._close_outbox,
        )

    # --- recording -------------------------------------------------------------------------------

    def record(self, line: bytes) -> None:
        """Take a line. Never waits for anything but one write to a local file."""
        outbox = self._outbox
        if outbox is None:
            outbox = self._open()
        try:
            if not outbox.append(line):
                self._drop(line)
        except (OSError, OutboxClosed) as error:
            self._append_elsewhere(line, outbox, error)
        inbox = self._inbox
        inbox.unseen += len(line)
        if self._thread is None or (inbox.asleep and inbox.unseen >= inbox.loud_at):
            self._wake()

    def _open(self) -> FileOutbox | MemoryOutbox:
        with self._opening:
            if self._outbox is None:
                self._register()
                made = self._make_file()
                if self._outbox is None:
                    self._outbox = made or self._memory
                    self._backlog.files += [made] if made else []
            return self._outbox

    def _register(self) -> None:
        forks.tell_children(self)
        exits.before_exit(self)

    def _make_file(self) -> FileOutbox | None:
        if self._folder is None:
            return None
        if not locks.exist():
            self._trouble.no_locks()
            return None
        try:
            return FileOutbox(
                self._folder, self.destination, self._sinks.metadata_hash, nonce=self._nonce, max_bytes=self._max_bytes, clock=self._clock
            )
        except OSError as error:
            self._memory_since = self._clock.monotonic()
            self._trouble.no_file(error)
            return None

    def _append_elsewhere(self, line: bytes, failed: FileOutbox | MemoryOutbox, error: Exception) -> None:
        if isinstance(error, OSError) and isinstance(failed, FileOutbox):
            self._use_memory(failed, error)
        if not self._open().append(line):
            self._drop(line)

    def _use_memory(self, failed: FileOutbox, error: OSError) -> None:
        with self._opening:
            failed.give_up()
            if self._outbox is failed:
                self._outbox = self._memory
                self._memory_since = self._clock.monotonic()
        self._trouble.no_file(error)

    def _try_files_again(self) -> None:
        """Let the next event look whether a file can be written again, once a while has passed and memory is empty."""
        may_try = self._folder is not None and locks.exist() and self._outbox is self._memory
        if may_try and self._clock.monotonic() - self._memory_since > DISK_SECONDS:
            with self._opening:
                self._outbox = None

    def _close_outbox(self) -> None:
        with self._opening:
            self._outbox = None
            files, self._backlog.files = self._backlog.files, []
        for outbox in files:
            outbox.close()

    def _drop(self, line: bytes) -> None:
        self._tally.drop(line)
        self._trouble.full()

    def lose(self, trace_id: str, reason: str, events: int) -> None:
        """Count events that could not be recorded; `trace_id` is empty where nobody knows whose they were. From any thread."""
        self._tally.lose(trace_id, reason, events)
        self._register()
        if self._thread is None:
            self._wake()

    # --- the thread ------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._thread is not None:
            self._inbox.ring()
        elif (starting := self._starting()).acquire(blocking=False):  # else another is at it, maybe this very thread further up
            try:
                if self._thread is None:
                    self._start()
            finally:
                starting.release()

    def _starting(self) -> threading.Lock:
        """Return what whoever starts a thread holds: made at first use, when this process has the threads and locks that it will have."""
        if self._start_lock is None:
            with self._opening:
                self._start_lock = self._start_lock or threading.Lock()
        return self._start_lock

    def _start(self) -> None:
        """Start the sender's thread. It begins in an empty context: what it calls of the user's runs in no trace."""
        try:
            if sys.is_finalizing():
                raise RuntimeError("the interpreter ends")  # noqa: TRY301  (before Python 3.12 a thread would be made, and never begin)
            self._inbox.hang_bell()
            self._thread = threading.Thread(target=Context().run, args=(self._run,), name="whyops-sender", daemon=True)
            self._thread.start()
        except RuntimeError as error:  # a limit, the end of the interpreter, or one that allows no such threads
            self._thread = None
            if not self._leaving:
                self._trouble.no_thread(error)

    def _run(self) -> None:
        try:
            self._sender.run()
            while self._goes_on():
                self._sender.run()
        finally:
            if self._thread is threading.current_thread():  # a sink has ended it
                self._thread = None

    def _goes_on(self) -> bool:
        """End the thread, unless something came at the last moment and no other thread was started for it."""
        self._thread = None  # from here on the next event starts a thread; what came just before is seen below
        if not self._backlog.has_unread() and self._inbox.empty() and not self._tally.has_news():
            return False
        with self._starting():
            if not self._is_alone():
                return False
            self._thread = threading.current_thread()
        return True

    def _is_alone(self) -> bool:
        return self._thread is None

    # --- waiting for it --------------------------------------------------------------------------

    def flush(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Deliver what was recorded before this call, and what dead processes have left; the future tells the numbers.

        After `timeout` seconds it tells them as they are then; if it `may_give_up`, as soon as the key or the address proves wrong.
        """
        return self._ask(Until.FLUSHED, timeout, may_give_up=may_give_up)

    def close(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Flush, then let go of the thread, the sink and the files. A later `record` opens all again."""
        return self._ask(Until.CLOSED, timeout, may_give_up=may_give_up)

    def wait(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Wait for what the sender is to answer; past the limit return what `otherwise` gives.

        Where no thread can be started, this one does the sender's work meanwhile.
        """
        return waited(future, timeout, otherwise, self.attend)

    async def wait_async(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Await what the sender is to answer, as `wait` does; where no thread can be started, the event loop waits as well."""
        return await awaited(future, timeout, otherwise, self.attend)

    def attend(self, future: Future[Any], seconds: float) -> None:
        """See that somebody is at work: the sender's thread, another one in its place, or else this one, for so long at most."""
        if self._thread is None:
            self._wake()
        if self._stands_in():
            until = self._clock.monotonic() + seconds
            try:
                Context().run(self._sender.run, until=lambda: future.done() or self._clock.monotonic() >= until)
            finally:
                self._thread = None

    def _stands_in(self) -> bool:
        """Put this thread in the place of the sender's, unless there is one."""
        if self._thread is not None or not (starting := self._starting()).acquire(blocking=False):
            return False
        try:
            is_free = self._thread is None
            if is_free:
                self._inbox.hang_bell()
                self._thread = threading.current_thread()
        finally:
            starting.release()
        return is_free

    def submit(self, job: Callable[[Sink], T]) -> Future[T]:
        """Call `job` with the sink, on the sender's thread, between two batches."""
        future: Future[T] = new_future()

        def run(open_sink: Callable[[], Sink]) -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job(open_sink()))
                except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the result
                    future.set_exception(error)

        self._register()
        self._inbox.put(Job(run))
        self._wake()
        return future

    def counts(self) -> FlushResult:
        """Return what became of this process's events so far."""
        return self._sender.counts()

    def settled(self) -> int:
        """Return how many events will not be sent again: whether that changes tells whether any get through."""
        total = self._tally.total
        return total.delivered + total.sampled_out + total.parked

    def _ask(self, until: Until, timeout: float | None, *, may_give_up: bool) -> Future[FlushResult]:
        request = Request(until, None if timeout is None else self._clock.monotonic() + timeout, may_give_up=may_give_up)
        if self._is_at_rest() and (self._folder is None or not os.path.exists(self._folder)):  # noqa: PTH110  (this one never raises)
            request.future.set_result(self.counts())
        else:
            self._register()
            self._inbox.put(request)
            self._wake()
        return request.future

    def _is_at_rest(self) -> bool:
        return self._outbox is None and self._thread is None and not len(self._memory) and not self._tally.has_news()

    # --- forks and the end -----------------------------------------------------------------------

    def after_fork_in_child(self) -> None:
        """Leave everything to the parent, and begin anew with the next event."""
        _parents_property.extend([self._sender.sinks(), self._memory])
        for outbox in self._backlog.files:
            outbox.forget()
        self._begin()

    def _exit_seconds(self) -> float:
        default = EXIT_SECONDS_FILE if isinstance(self._outbox, FileOutbox) and not len(self._memory) else EXIT_SECONDS_MEMORY
        return default if self._exit_timeout is None else self._exit_timeout

    async def deliver_at_end(self) -> None:
        """Deliver what can be, within the time for the end of the process: for programs that are told of it, and then end without hooks."""
        seconds = self._exit_seconds()
        await self.wait_async(self.flush(seconds), seconds, self.counts)

    def begin_exit(self) -> None:
        """Have all delivered that can be, without waiting for it."""
        if self._is_at_rest():
            return
        self._exit_request = Request(Until.EXIT, self._clock.monotonic() + self._exit_seconds())
        self._leaving = True
        self._inbox.put(self._exit_request)
        self._wake()

    def finish_exit(self) -> None:
        """Wait for it until the limit, and say what is left."""
        request, self._exit_request = self._exit_request, None
        if request is None or request.deadline is None:
            return
        self.wait(request.future, max(0.0, request.deadline - self._clock.monotonic()) + 0.1, self.counts)
        if waiting := self.counts().waiting:
            self._trouble.left_waiting(waiting, in_memory=len(self._memory))
        if self._folder is not None and len(self._memory):
            self._tally.lose_all(self._memory.lines(), "in memory when the process ended")
            self._tally.save_for_good()
