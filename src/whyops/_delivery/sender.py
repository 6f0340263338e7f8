"""The loop that takes lines from the queue to the sinks. One thread at a time runs it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from .._outbox.batch import Batch, BatchSize, reached
from .._outbox.counters import Counters, Counts
from .._outbox.queue import Queue
from .._outbox.reasons import general
from .._runtime.clock import Clock
from ..errors import StoreError, WhyOpsError
from ..events import Receipt, RetryLater
from ..types import FlushResult
from .bisect import Bisection
from .linger import Linger
from .log import DeliveryLog
from .pace import Backoff, Pace
from .requests import Job, Request, Requests, Until
from .sinks import Sinks

LOOK_SECONDS = 30.0
STALL_SECONDS = 0.02
LASTING = frozenset({"key", "url"})
"""Kinds of failure that last until somebody changes a setting."""
ATTEMPTS_AT_NOBODY = 3
"""After so many in a row that reached nobody, the address counts as wrong."""


class Sender:
    """Sends what waits, batch by batch, and answers those who wait for it.

    `leader_runs` tells whether the thread of the destination whose queue the lines are appended to is at work, if that is another one:
    nobody rings for these lines, so while it is, this one goes on and looks by itself. `tended` is called in each round.
    """

    def __init__(
        self,
        sinks: Sinks,
        queue: Queue,
        requests: Requests,
        counters: Counters,
        log: DeliveryLog,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._sinks = sinks
        self._queue = queue
        self._requests = requests
        self._linger = Linger(requests, clock.monotonic, pace)
        self._counters = counters
        self._log = log
        self._now = clock.monotonic
        self._pace = pace
        self._size = BatchSize()
        self._backoff = Backoff(clock.monotonic, pace)
        self._batch = Batch()
        self._open: list[Request] = []
        self._jobs: list[Job] = []
        self._eager = False
        self._stalled = False
        self._is_inline = False
        self._has_no_store = False
        self._is_hopeless = False
        self._closed = False
        self._busy_at = 0.0
        self._saved_at = 0.0
        self._looked_at: float | None = None
        self.leader_runs: Callable[[], bool] = _nobody_runs
        self.tended: Callable[[], None] = lambda: None

    def run(self, *, until: Callable[[], bool] | None = None) -> None:
        """Work until there was nothing to do for a while, or until it is closed; in a caller's thread, `until` it has what it wants."""
        self._closed = False
        self._is_inline = until is not None
        self._busy_at = self._now()
        while True:
            try:
                self._listen()
                if self._work():
                    self._busy_at = self._now()
                self._answer()
                if not self._is_inline and self._now() - self._busy_at >= self._pace.rest and self._sinks.has_left():
                    self._busy_at = self._now()  # what can't be sent now is tried again after another such while
                    self._sinks.rest()
            except Exception as error:  # noqa: BLE001  (the boundary "the sender's loop": the thread goes on)
                self._log.fault(error)
                self._counters.postpone(str(error) if isinstance(error, WhyOpsError) else type(error).__name__)
                self._backoff.failed()
                self._has_no_store = isinstance(error, StoreError)
            if self._closed or self._is_idle() or (until is not None and until()):
                return

    def has_work(self) -> bool:
        """Tell whether something waits that the loop has not seen yet, or somebody for an answer: of two who close, the later one."""
        is_asked = any(request.deadline is not None for request in self._open)
        follows = self.leader_runs() and not self._closed
        return is_asked or follows or self._queue.has_unread() or bool(self._requests.items) or self._counters.has_news()

    def _is_idle(self) -> bool:
        has_more = self._open or self._jobs or self._batch.lines or self._backoff.failures or self._counters.has_news()
        return not has_more and self._now() - self._busy_at > self._idle_seconds() and not self.leader_runs()

    def _idle_seconds(self) -> float:
        """Return for how long there is nothing to do until the thread ends; until then, where a sink has something left to send."""
        return self._pace.rest if self._sinks.has_left() else self._pace.idle

    # --- what is asked for -----------------------------------------------------------------------

    def _listen(self) -> None:
        loud_at = self._queue.loud_at()
        rest = self._rest()
        if rest is None:
            asked = self._linger.sleep(
                something_waits=bool(self._batch.lines) or self._queue.has_unread() or not self._queue.orphans.is_empty(),
                loud_at=loud_at,
                idle_seconds=self._pace.linger if self.leader_runs() else max(0.0, self._busy_at + self._idle_seconds() - self._now()),
            )
        else:
            asked = self._requests.wait(rest, loud_at)
        self._requests.unseen = 0
        for item in asked:
            if isinstance(item, Job):
                self._jobs.append(item)
            else:
                self._begin(item)

    def _rest(self) -> float | None:
        """Return for how long to sleep, not beyond the moment at which somebody gives up waiting; None if nothing presses."""
        if any(map(self._is_over, self._open)):
            return 0.0
        if resting := self._backoff.remaining():
            limits = [request.deadline - self._now() for request in self._open if request.deadline is not None]
            return max(0.0, min([resting, self._pace.linger, *limits]))
        if self._eager:
            return 0.0
        if self._open or self._jobs:
            return STALL_SECONDS if self._stalled else 0.0
        return None

    def _begin(self, request: Request) -> None:
        if not request.future.set_running_or_notify_cancel():
            return
        with contextlib.suppress(OSError):  # a file is gone, and what was in it
            request.marks = self._queue.marks()
        request.failures = self._backoff.failures
        self._open.append(request)
        self._stalled = False
        self._looked_at = None
        self._hurry()
        if request.until is not Until.FLUSHED or self._has_no_store:
            self._backoff.hasten()

    def _answer(self) -> None:
        """Answer the requests that are settled or out of time."""
        caught_up = not self._batch.lines and self._queue.orphans.is_empty()
        for request in list(self._open):
            settled = caught_up and reached(request.marks)
            if settled and request.until is Until.CLOSED and not request.repeated and self._queue.has_unread():
                request.marks, request.repeated = self._queue.marks(), True  # what came meanwhile goes along, once
            elif settled or self._is_over(request):
                self._open.remove(request)
                self._finish(request, settled=settled)
                self._hurry()

    def _finish(self, request: Request, *, settled: bool) -> None:
        counts = self.counts()
        try:
            if request.until is not Until.FLUSHED:
                self._counters.save_for_good()
                self._sinks.close()
            if request.until is Until.CLOSED or (request.until is Until.EXIT and settled):
                self._batch = Batch()
                self._looked_at = None
                self._queue.close()
        finally:
            self._closed = self._closed or request.until is Until.CLOSED
            request.future.set_result(counts)

    def _is_over(self, request: Request) -> bool:
        """Tell whether it is no use to wait any longer: a local store that can't be used now won't be a moment later."""
        if request.deadline is not None and self._now() >= request.deadline:
            return True
        is_vain = self._has_no_store or (request.may_give_up and self._is_hopeless)
        is_safe = request.until is Until.EXIT and not len(self._queue.memory)
        return (is_vain or is_safe) and self._backoff.failures > request.failures

    def counts(self) -> FlushResult:
        """Return what became of the events. May be called by any thread."""
        total = self._counters.total
        return FlushResult(
            delivered=total.delivered,
            accepted=total.accepted,
            waiting=max(0, self._queue.waiting() - self._batch.settled()),
            rejected=total.rejected,
            sampled_out=total.sampled_out,
            dropped=total.dropped,
            not_recorded=total.not_recorded,
        )

    # --- the work --------------------------------------------------------------------------------

    def _work(self) -> bool:
        """Do what is due: look after the files, send one batch, do one job. Returns whether anything was sent."""
        if self._queue.tend():
            self._batch = Batch()  # its lines may have been in a file that is to be adopted now, or was dropped
        self.tended()
        if self._looked_at is None or self._now() - self._looked_at > LOOK_SECONDS:
            self._looked_at = self._now()
            self._queue.orphans.look()
        sent = self._backoff.remaining() <= 0 and self._deliver()
        self._stalled = not sent
        self._queue.try_files_again()
        if self._jobs and (self._queue.orphans.is_empty() or self._backoff.failures):
            self._jobs.pop(0).run(self._sinks.open)
        if not self._eager or self._now() - self._saved_at > self._pace.linger:
            self._counters.save()
            self._saved_at = self._now()
        return sent

    def _deliver(self) -> bool:
        """Send one batch, or what is left of it. Returns whether there was one."""
        batch = self._batch
        if not batch.lines:
            batch = self._batch = self._queue.read(self._size.events)
        count = len(batch.lines)
        foreign = self._queue.is_foreign(batch, self._sinks.metadata_hash)
        self._eager = count >= self._size.events or batch.is_large() or foreign or not self._queue.orphans.is_empty()
        later = Bisection(batch, lambda lines: self._send(lines, foreign=foreign), self._reject, self._queue.one_more).run()
        if later is not None:
            self._log.postponed(later, again=self._backoff.failures > 0)
            self._counters.postpone(later.reason)
            self._backoff.failed(later.after)
            self._is_hopeless = later.kind in LASTING or (later.kind == "unreachable" and self._backoff.failures >= ATTEMPTS_AT_NOBODY)
        else:
            self._batch = Batch()
            batch.acknowledge()
            if not count:  # what failed was no delivery, and is over
                self._backoff.succeeded()
        return count > 0

    def _send(self, lines: Sequence[bytes], *, foreign: bool) -> Receipt:
        sink = self._sinks.open(foreign=foreign)
        started = self._now()
        try:
            receipt = sink.send(lines)
        except RetryLater:
            self._size.failed(len(lines), self._now() - started)
            raise
        self._size.answered(len(lines), self._now() - started)
        self._has_no_store = False
        if self._backoff.failures and len(receipt.unsettled) < len(lines):
            self._backoff.succeeded()
            self._log.recovered()
        if len(receipt.unsettled) < len(lines):
            self._counters.postpone("")
        reasons = {general(receipt.sampled_out_reason, lines): receipt.sampled_out} if receipt.sampled_out else {}
        self._counters.count(Counts(receipt.stored, receipt.accepted, sampled_out=receipt.sampled_out, sampled_out_reasons=reasons))
        if receipt.accepted:
            self._log.accepted()
        if receipt.sampled_out:
            self._log.sampled_out(receipt.sampled_out_reason)
        return receipt

    def _reject(self, line: bytes, reason: str) -> None:
        self._counters.reject(line, reason)
        self._log.rejected(reason)

    def _hurry(self) -> None:
        """Have the sinks keep to the time of those who want to leave, or whose thread does the work."""
        pressing = (request for request in self._open if request.until is not Until.FLUSHED or self._is_inline)
        deadlines = [request.deadline for request in pressing if request.deadline is not None]
        self._sinks.hurry(min(deadlines, default=None))


def _nobody_runs() -> bool:
    return False
