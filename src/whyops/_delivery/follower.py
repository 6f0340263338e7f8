"""Delivery to a destination that gets the same lines as another one, which they are recorded for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._outbox.shared_file import Reader
from .delivery import Delivery

if TYPE_CHECKING:
    from .._outbox.queue import Files


class Follower(Delivery):
    """Nobody records here: lines come with a share in another's file, or by `take_line` where they wait in memory."""

    _leader_runs: Callable[[], bool] | None = None

    def _begin(self) -> None:
        super()._begin()
        if self._leader_runs is not None:
            self._sender.leader_runs = self._leader_runs

    def follow(self, leader_runs: Callable[[], bool]) -> None:
        """Be at work as long as the thread of the destination that records is, which `leader_runs` tells."""
        self._leader_runs = self._sender.leader_runs = leader_runs

    def reader(self, beside: Path) -> Reader:
        """Return what a shared file has to know of this destination; its folder is the destination's own in `beside`."""
        return Reader(self._folder or self.destination.folder(beside.parent), self.destination, self._metadata_hash)

    def take(self, outbox: Files) -> None:
        """Deliver what is in a share of a file. From any thread."""
        self._register()
        self._queue.take(outbox)

    def take_line(self, line: bytes) -> None:
        """Take a line to memory, if there is room for it. From any thread."""
        self._register()
        if not self._queue.memory.append(line):
            self.drop(line)
        requests = self._requests
        requests.unseen += len(line)
        if self._worker.thread is None or (requests.asleep and requests.unseen >= requests.loud_at):
            self._worker.wake()

    def wake(self) -> None:
        """See that a thread is at work. From any thread."""
        self._worker.wake()

    def wake_for_unread(self) -> None:
        """See that a thread is at work, if something waits and none is. From any thread."""
        if not self._worker.is_running() and self._queue.has_unread():
            self._worker.wake()
