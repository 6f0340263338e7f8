"""Events for another sink, stored on this machine as well."""

from __future__ import annotations

from collections.abc import Sequence

from .._runtime import guard
from ..errors import StoreError
from ..events import Receipt, Sink
from .sink import SqliteSink


class KeepingSink:
    """Sends lines to `sink`, and stores locally those that it accepted, also those that it then left out by its own rules.

    If the store can't be written, that is logged, and delivery continues.
    """

    def __init__(self, sink: Sink, store: SqliteSink) -> None:
        self.sink = sink
        self._store = store

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Deliver the lines, then store those that were accepted."""
        receipt = self.sink.send(lines)
        refused = {refusal.index for refusal in (*receipt.refused, *receipt.unsettled)}
        try:
            self._store.send([line for index, line in enumerate(lines) if index not in refused])
        except StoreError as error:
            guard.notices.say("keep local", "Events were delivered, but can't be kept in the local store too: %s", error)
        return receipt

    def hurry(self, deadline: float | None) -> None:
        """Limit each request to this moment (monotonic); None removes the limit."""
        hurry = getattr(self.sink, "hurry", None)
        if hurry is not None:
            hurry(deadline)

    def close(self) -> None:
        """Close both."""
        try:
            self.sink.close()
        finally:
            self._store.close()
