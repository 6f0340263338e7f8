"""Delivery to the destination that lines are recorded for, where others get the same lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._outbox.queue import Queue
from .._outbox.shared_file import Reader, SharedFile
from .._outbox.shared_outbox import SharedOutbox
from .._runtime import guard
from .delivery import Delivery
from .follower import Follower

if TYPE_CHECKING:
    from .._outbox.queue import Files


class Leader(Delivery):
    """Hands each of its `others` a share of the file that it records to, and each line that waits in memory.

    Its thread wakes theirs when it starts. While it is at work they are, too, so that it need not get round to that again.
    """

    def __init__(self, others: Sequence[Follower], *arguments: Any, **options: Any) -> None:
        self.others = others
        super().__init__(*arguments, **options)

    def _begin(self) -> None:
        super()._begin()
        self._sender.tended = self._wake_for_unread
        for other in self.others:
            other.follow(self._worker.is_running)

    def _new_queue(self, also: Callable[[bytes], None] | None = None) -> Queue:
        return super()._new_queue(also or self._tell_line)

    def _new_file(self, folder: Path) -> Files:
        readers = [Reader(folder, self.destination, self._metadata_hash), *(other.reader(folder.parent) for other in self.others)]
        shared = SharedFile(
            readers,
            nonce=self._process_nonce,
            max_bytes=self._max_bytes,
            clock=self._clock,
            on_full=self._tell_full,
            on_no_links=self._say_without_links,
        )
        drop = [self.drop, *(other.drop for other in self.others)]
        shares = [
            SharedOutbox(shared, index, reader.folder, max_bytes=self._max_bytes, clock=self._clock, on_drop=drop[index])
            for index, reader in enumerate(readers)
        ]
        for other, share in zip(self.others, shares[1:], strict=True):
            other.take(share)
        return shares[0]

    def _on_start(self) -> None:
        for other in self.others:
            other.wake()

    def _wake_for_unread(self) -> None:
        for other in self.others:
            other.wake_for_unread()

    def _tell_line(self, line: bytes) -> None:
        for other in self.others:
            other.take_line(line)

    def _tell_full(self, line: bytes) -> None:
        for other in self.others:
            other.drop(line)

    def _say_without_links(self, error: OSError) -> None:
        guard.notices.say(
            "no links", "A file can't have two names in %s (%s): each event is written once for each destination.", self._folder, error
        )
