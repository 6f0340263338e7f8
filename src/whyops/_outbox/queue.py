"""All that waits in this process to be delivered."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .._runtime import locks
from .._runtime.clock import Clock
from .batch import MAX_BYTES, Batch, Marks, Shelf
from .file_outbox import FileOutbox, OutboxClosed
from .memory_outbox import MemoryOutbox
from .orphans import Orphans

if TYPE_CHECKING:
    from .shared_outbox import SharedOutbox

    Files: TypeAlias = FileOutbox | SharedOutbox
    Outbox: TypeAlias = Files | MemoryOutbox

MAX_MEMORY_BYTES = 64_000_000
_MOST_TRIES = 5


class Queue:
    """The outbox that this process appends to, and what there is to send: the files of dead processes first, then this one's own.

    Lines go to a file, and to memory while none can be written. `current` is where the next one goes, None until something asks for it.
    `files` holds this process's file outbox, and before it those that it had to give up and that are not drained yet. `on_memory` is
    called when lines begin to wait in memory, with the reason, or with None where this system has no locks. `disk_seconds` later a file is
    tried again. `also` gets each line that goes to memory.

    Where another destination's queue gets the lines, and this one's destination gets the same, nothing is appended here: `take` hands it
    its part of the file.
    """

    def __init__(
        self,
        folder: Path | None,
        make_file: Callable[[Path], Files],
        *,
        max_bytes: int,
        on_memory: Callable[[OSError | None], None],
        clock: Clock,
        disk_seconds: float,
        also: Callable[[bytes], None] | None = None,
    ) -> None:
        self._folder = folder
        self._make_file = make_file
        self._on_memory = on_memory
        self._now = clock.monotonic
        self._disk_seconds = disk_seconds
        self._opening = threading.RLock()  # a `__del__` may record while the same thread opens the outbox
        self._memory_since = 0.0
        self.current: Outbox | None = None
        self.files: list[Files] = []
        self.memory = MemoryOutbox(min(max_bytes, MAX_MEMORY_BYTES), also)
        self.orphans = Orphans(folder, clock)

    # --- from any thread -------------------------------------------------------------------------

    def open(self) -> Outbox:
        """Return where the next line goes: a file if one can be written."""
        with self._opening:
            if self.current is None:
                made = self._file()
                if self.current is None:
                    self.current = made or self.memory
                    self.files += [made] if made else []
            return self.current

    def append_elsewhere(self, line: bytes, failed: Outbox, error: Exception) -> bool:
        """Append a line that an outbox has not taken, unless there is no room for it."""
        if isinstance(error, OSError) and not isinstance(failed, MemoryOutbox):
            self._use_memory(failed, error)
        for _ in range(_MOST_TRIES):
            with self._opening:
                if self.current is failed:  # another destination has closed it
                    self.current = None
            failed = self.open()
            try:
                return failed.append(line)
            except OutboxClosed:
                continue
            except OSError as again:
                if not isinstance(failed, MemoryOutbox):
                    self._use_memory(failed, again)
        return self.memory.append(line)

    def take(self, outbox: Files) -> None:
        """Deliver what is in an outbox that another destination's queue appends to."""
        with self._opening:
            self.files.append(outbox)

    def _file(self) -> Files | None:
        if self._folder is not None and locks.exist():
            try:
                return self._make_file(self._folder)
            except OSError as error:
                self._memory_since = self._now()
                self._on_memory(error)
        elif self._folder is not None:
            self._on_memory(None)
        return None

    def _use_memory(self, failed: Files, error: OSError) -> None:
        with self._opening:
            failed.give_up()
            if self.current is failed:
                self.current = self.memory
                self._memory_since = self._now()
        self._on_memory(error)

    def is_unused(self) -> bool:
        """Tell whether nothing is open and nothing waits in memory."""
        return self.current is None and not self.files and not len(self.memory)

    def is_on_disk(self) -> bool:
        """Tell whether all that waits outlives the process."""
        return bool(self.files) and self.current is not self.memory and not len(self.memory)

    def waiting(self) -> int:
        """Count the events that wait, those of adopted files too."""
        files = sum(segment.waiting() for outbox in list(self.files) for segment in outbox.shelves())
        return files + len(self.memory) + sum(segment.waiting() for segment in self.orphans.held)

    # --- from the sender's thread ----------------------------------------------------------------

    def read(self, max_events: int) -> Batch:
        """Return the next lines, of dead processes or of this one, never both. The batch may be empty."""
        while left := self.orphans.shelves():
            batch = Batch()
            batch.extend(left, max_events, MAX_BYTES)
            while (room := batch.room(max_events, MAX_BYTES)) and (more := self.orphans.another()) is not None:
                batch.extend([more], *room)
            if batch.lines:
                return batch
            batch.acknowledge()
            if not batch.marks:
                self.orphans.release()
        batch = Batch()
        batch.extend(self.own(), max_events, MAX_BYTES)
        return batch

    def one_more(self, batch: Batch) -> int:
        """Add the line behind a batch to it, if there is one; return how many were added."""
        left: Sequence[Shelf] = [segment for segment in self.orphans.held if id(segment) in batch.marks]
        return batch.extend(left or self.own(), 1, MAX_BYTES)

    def is_foreign(self, batch: Batch, metadata_hash: str) -> bool:
        """Tell whether a batch was recorded by a process that described the agent in another way."""
        return any(id(segment) in batch.marks and segment.metadata_hash != metadata_hash for segment in self.orphans.held)

    def own(self) -> list[Shelf]:
        """Return what this process has recorded, oldest first."""
        return [*(segment for outbox in self.files for segment in outbox.shelves()), self.memory]

    def marks(self) -> Marks:
        """Return the ends of all that this process has recorded so far."""
        return {id(shelf): (shelf, shelf.end()) for shelf in self.own()}

    def has_unread(self) -> bool:
        """Tell whether this process has recorded something that is not settled."""
        return any(shelf.acknowledged < shelf.end() for shelf in self.own())

    def loud_at(self) -> int:
        """Return how many bytes may be recorded before the sender should look at them without delay."""
        return self.memory.loud_at if len(self.memory) or not self.files else self.files[-1].loud_at

    def tend(self) -> bool:
        """Look after the files: begin new ones, remove those that are done with.

        Returns:
            Whether one had to be abandoned, or something in one was dropped: what was read before may be in it.
        """
        abandoned = False
        for outbox in list(self.files):
            try:
                abandoned = outbox.tend() or abandoned
            except OSError as error:
                self._use_memory(outbox, error)
                if error.errno == errno.EBADF:
                    outbox.abandon()
                    self.files.remove(outbox)
                    self.orphans.look()
                    abandoned = True
                    continue
            if outbox.is_over():
                outbox.close()
                self.files.remove(outbox)
        return abandoned

    def try_files_again(self) -> None:
        """Let the next event look whether a file can be written again, once a while has passed and memory is empty."""
        may_try = self._folder is not None and locks.exist() and self.current is self.memory and not len(self.memory)
        if may_try and self._now() - self._memory_since > self._disk_seconds:
            with self._opening:
                self.current = None

    def close(self) -> None:
        """Let go of all files; the next event opens a new one."""
        self.orphans.release()
        with self._opening:
            self.current = None
            files, self.files = self.files, []
        for outbox in files:
            outbox.close()
