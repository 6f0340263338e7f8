"""Delivery to several destinations, for those who wait for it: they wait for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from .._runtime.clock import CLOCK
from .._runtime.waiting import awaited, new_future, waited
from ..events import Sink
from ..types import FlushResult
from .delivery import Delivery
from .leader import Leader

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

TURN_SECONDS = 0.2
"""For how long one destination has a caller's thread, where no thread can be started and several wait for it."""


class FanOut:
    """The delivery of the first destination, `leader`, and those of its others, as one.

    Each has a thread, a position, a bound and counters of its own, so that one that is away delays no other. `record` and `ignore` are
    the leader's.
    """

    def __init__(self, leader: Leader) -> None:
        self.first = leader
        self.destination = leader.destination
        self.record = leader.record
        self.ignore = leader.ignore
        self._each: Sequence[Delivery] = [leader, *leader.others]
        self._parts: WeakKeyDictionary[Future[Any], Sequence[Future[Any]]] = WeakKeyDictionary()

    def lose(self, trace_id: str, reason: str, events: int) -> None:
        """Count events that could not be recorded, for each destination."""
        for each in self._each:
            each.lose(trace_id, reason, events)

    def flush(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Deliver to each destination what was recorded before this call; the future contains all their numbers."""
        return self._all([each.flush(timeout, may_give_up=may_give_up) for each in self._each])

    def close(self, timeout: float | None = None, *, may_give_up: bool = False) -> Future[FlushResult]:
        """Flush, then let go of all threads, sinks and files. A later `record` opens them again."""
        return self._all([each.close(timeout, may_give_up=may_give_up) for each in self._each])

    def submit(self, job: Callable[[Sink], T]) -> Future[T]:
        """Call `job` with the first destination's sink, on its sender's thread."""
        return self.first.submit(job)

    def wait(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Wait for what the senders are to answer; past the limit return what `otherwise` returns."""
        return waited(future, timeout, otherwise, self.attend)

    async def wait_async(self, future: Future[T], timeout: float | None, otherwise: Callable[[], T]) -> T:
        """Await what the senders are to answer, as `wait` does."""
        return await awaited(future, timeout, otherwise, self.attend)

    def attend(self, future: Future[Any], seconds: float) -> None:
        """See that somebody is at work for each; where no thread can be started, this one is, for one after the other."""
        until = CLOCK.monotonic() + seconds
        parts = self._parts.get(future, [future])
        while (waiting := [each for each in zip(self._each, parts, strict=False) if not each[1].done()]) and CLOCK.monotonic() < until:
            for each, part in waiting:
                each.attend(part, min(seconds, TURN_SECONDS))
            if all(each.is_running() for each, _ in waiting):
                return

    def is_running(self) -> bool:
        """Tell whether each has a thread at work."""
        return all(each.is_running() for each in self._each)

    def counts(self) -> FlushResult:
        """Return what became of this process's events so far, in all and for each destination."""
        return self._sum([each.counts() for each in self._each])

    def settled(self) -> int:
        """Return how many events will not be sent again, of all destinations."""
        return sum(each.settled() for each in self._each)

    async def deliver_at_end(self) -> None:
        """Deliver what can be, within the time for the end of the process: for programs that are told of it, and then end without hooks."""
        seconds = max(each.exit_seconds() for each in self._each)
        await self.wait_async(self.flush(seconds), seconds, self.counts)

    def _all(self, futures: Sequence[Future[FlushResult]]) -> Future[FlushResult]:
        """Return a future that contains the sum of what these contain, once they all do."""
        whole: Future[FlushResult] = new_future()
        whole.set_running_or_notify_cancel()  # nobody calls it off: the parts go on anyway
        self._parts[whole] = futures
        left = list(futures)

        def note(one: Future[FlushResult]) -> None:
            left.remove(one)
            if not left and not whole.done():
                whole.set_result(self._sum([each.result() for each in futures]))

        for one in futures:
            one.add_done_callback(note)
        return whole

    def _sum(self, results: Sequence[FlushResult]) -> FlushResult:
        named = [result._replace(destination=each.destination.name()) for each, result in zip(self._each, results, strict=True)]
        return FlushResult(
            delivered=sum(one.delivered for one in results),
            waiting=sum(one.waiting for one in results),
            rejected=sum(one.rejected for one in results),
            sampled_out=sum(one.sampled_out for one in results),
            dropped=sum(one.dropped for one in results),
            not_recorded=sum(one.not_recorded for one in results),
            accepted=sum(one.accepted for one in results),
            destinations=tuple(named),
        )


AnyDelivery = Delivery | FanOut
"""To one destination, or to several."""
