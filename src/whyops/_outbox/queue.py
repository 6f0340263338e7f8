"""All that waits in this process to be delivered."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from .._runtime.clock import Clock
from .batch import MAX_BYTES, Batch, Shelf
from .file_outbox import FileOutbox
from .memory_outbox import MemoryOutbox
from .orphans import Leftovers


class Backlog:
    """What dead processes left comes first, then what this one recorded, in files and then in memory.

    `files` holds this process's file outbox, and before it those that it had to give up and that are not drained yet.
    """

    def __init__(self, folder: Path | None, memory: MemoryOutbox, clock: Clock) -> None:
        self.folder = folder
        self.memory = memory
        self.files: list[FileOutbox] = []
        self.leftovers = Leftovers(folder, clock)

    def read(self, max_events: int) -> Batch:
        """Return the next lines, of dead processes or of this one, never both. The batch may be empty."""
        batch = Batch()
        while (left := self.leftovers.shelf()) is not None:
            batch.extend([left], max_events, MAX_BYTES)
            if batch.lines:
                return batch
            batch.acknowledge()
            if not batch.marks:
                self.leftovers.release()
            batch = Batch()
        batch.extend(self.own(), max_events, MAX_BYTES)
        return batch

    def one_more(self, batch: Batch) -> int:
        """Add the line behind a batch to it, if there is one; return how many were added."""
        left = self.leftovers.current
        shelves: Sequence[Shelf] = [left] if left is not None and id(left) in batch.marks else self.own()
        return batch.extend(shelves, 1, MAX_BYTES)

    def is_foreign(self, batch: Batch, metadata_hash: str) -> bool:
        """Tell whether a batch was recorded by a process that described the agent in another way."""
        left = self.leftovers.current
        return left is not None and id(left) in batch.marks and left.metadata_hash != metadata_hash

    def own(self) -> list[Shelf]:
        """Return what this process has recorded, oldest first."""
        return [*(segment for outbox in self.files for segment in outbox.shelves()), self.memory]

    def marks(self) -> dict[int, tuple[Shelf, int]]:
        """Return the ends of all that this process has recorded so far."""
        return {id(shelf): (shelf, shelf.end()) for shelf in self.own()}

    def has_unread(self) -> bool:
        """Tell whether this process has recorded something that is not settled."""
        return any(shelf.acknowledged < shelf.end() for shelf in self.own())

    def loud_at(self) -> int:
        """Return how many bytes may be recorded before the sender should look at them without delay."""
        return self.memory.loud_at if len(self.memory) or not self.files else self.files[-1].loud_at

    def waiting(self) -> int:
        """Count the events that wait, those of an adopted file too. May be called by any thread."""
        left = self.leftovers.current
        adopted = left.waiting() if left is not None else 0
        files = sum(segment.waiting() for outbox in list(self.files) for segment in outbox.shelves())
        return adopted + files + len(self.memory)

    def tend(self, on_trouble: Callable[[FileOutbox, OSError], None]) -> bool:
        """Look after the files: begin new ones, remove those that are done with. Returns whether one had to be abandoned."""
        abandoned = False
        for outbox in list(self.files):
            try:
                outbox.tend()
            except OSError as error:
                on_trouble(outbox, error)
                if error.errno == errno.EBADF:
                    outbox.abandon()
                    self.files.remove(outbox)
                    self.leftovers.look()
                    abandoned = True
                    continue
            if outbox.is_over():
                outbox.close()
                self.files.remove(outbox)
        return abandoned
