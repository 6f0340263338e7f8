"""One round with a batch: send it, and if something in it is refused, find out what."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from .._outbox.batch import Batch, by_trace
from .._wire.line import trace_of
from ..events import BatchRejected, Receipt, RetryLater

WHOLE_ATTEMPTS = 3
SUSPECTS = 4


class Bisection:
    """Settles a batch as far as it goes, in order.

    A batch that is refused is sent in smaller parts, first by trace, then in halves, until the refused event stands alone. A refusal that
    may also be a passing fault is believed only when an event behind it passes and the refused one, tried once more, does not: in an outage
    nothing passes, so nothing is rejected. The same goes for an event that the answer leaves unsettled.
    """

    def __init__(
        self,
        batch: Batch,
        send: Callable[[Sequence[bytes]], Receipt],
        reject: Callable[[bytes, str], None],
        more: Callable[[Batch], int],
    ) -> None:
        self._batch = batch
        self._send = send
        self._reject = reject
        self._more = more
        self._parts = deque([list(batch.lines)] if batch.lines else [])
        self._suspects: list[tuple[bytes, str]] = []

    def run(self) -> RetryLater | None:
        """Go through the batch once, and return why not all of it could be settled, if so. What is left stays in `batch.lines`."""
        try:
            while self._parts or self._suspects:
                if not self._has_next():
                    return _passing(self._suspects[0][1])
                self._take_next()
        except RetryLater as later:
            return later
        finally:
            self._batch.lines = [line for line, _ in self._suspects] + [line for part in self._parts for line in part]
        return None

    def _take_next(self) -> None:
        part = self._parts[0]  # stays there if anything goes wrong
        try:
            receipt = self._send(part)
        except BatchRejected as refused:
            self._parts.popleft()
            self._narrow(part, refused)
        else:
            self._parts.popleft()
            self._settle(part, receipt)

    def _settle(self, part: list[bytes], receipt: Receipt) -> None:
        """Do as the receipt says. What it leaves unsettled waits as if it had been refused by a passing fault."""
        for refusal in receipt.refused:
            self._reject(part[refusal.index], refusal.reason)
        left = [(part[refusal.index], refusal.reason) for refusal in receipt.unsettled]
        if left:
            self._wait_for_whole([line for line, _ in left], left[0][1])
            self._suspects += left
        if len(left) < len(part):
            self._judge_suspects()
        else:
            self._seek_proof()

    def _narrow(self, part: list[bytes], refused: BatchRejected) -> None:
        bad = {index for index in refused.indexes if 0 <= index < len(part)}
        if len(part) == 1 and not refused.perhaps_passing:
            bad = {0}
        if bad:
            for index in sorted(bad):
                self._reject(part[index], refused.reason)
            if good := [line for index, line in enumerate(part) if index not in bad]:
                self._parts.appendleft(good)
        elif len(part) == 1:
            self._suspects.append((part[0], refused.reason))
            self._seek_proof()
        else:
            if refused.perhaps_passing:
                self._wait_for_whole(part, refused.reason)
            self._parts.extendleft(reversed(by_trace(part)))

    def _wait_for_whole(self, part: list[bytes], reason: str) -> None:
        """Give what is left of the batch another chance as a whole, if it has not had enough of them.

        Raises:
            RetryLater: it gets one.
        """
        if self._batch.attempts < WHOLE_ATTEMPTS - 1:
            self._batch.attempts += 1
            self._parts.appendleft(part)
            raise _passing(reason)

    def _has_next(self) -> bool:
        """Tell whether there is something to send: behind the batch, one more line is taken, to see whether it passes."""
        if not self._parts and self._more(self._batch):
            self._parts.append([self._batch.lines[-1]])
        return bool(self._parts)

    def _seek_proof(self) -> None:
        """Once several in a row have failed, all are bad or nothing passes. Let an event of another trace tell, or the last one.

        Raises:
            RetryLater: it does not pass either.
        """
        if len(self._suspects) < SUSPECTS or not self._has_next():
            return
        rest = [line for part in self._parts for line in part]
        suspicious = {trace_of(line) for line, _ in self._suspects}
        witness = next((line for line in rest if trace_of(line) not in suspicious), rest[-1])
        try:
            receipt = self._send([witness])
        except BatchRejected as refused:
            raise _passing(refused.reason) from None
        if receipt.unsettled:
            raise _passing(receipt.unsettled[0].reason)
        rest.remove(witness)
        self._parts = deque([rest] if rest else [])
        for refusal in receipt.refused:
            self._reject(witness, refusal.reason)
        self._judge_suspects()

    def _judge_suspects(self) -> None:
        """An event has just passed, so the other side is well: who fails now is at fault itself."""
        while self._suspects:
            line, _ = self._suspects[0]
            try:
                receipt = self._send([line])
            except BatchRejected as refused:
                self._reject(line, refused.reason)
            else:
                for refusal in (*receipt.refused, *receipt.unsettled):
                    self._reject(line, refusal.reason)
            del self._suspects[0]


def _passing(reason: str) -> RetryLater:
    return RetryLater(reason, kind="refused")
