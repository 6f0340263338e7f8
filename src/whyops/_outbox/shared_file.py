"""Lines for several destinations, each written once: a file that has a name in the folder of each."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from .._runtime.clock import Clock
from .._runtime.private_files import open_private
from . import fast_write as writing
from .destination import Destination, make_place
from .file_outbox import SEGMENT_BYTES, OutboxClosed
from .own_segments import RETIRE_SECONDS
from .segment import LINES, SUFFIX, Segment, close_if_ours, is_ours

_numbers = itertools.count(1)
_WITHOUT_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK})
"""What the making of a hard link fails with where the disk has none."""


class Reader(NamedTuple):
    """One of the destinations: where its files lie, and with which description of the agent its lines are recorded."""

    folder: Path
    destination: Destination
    metadata_hash: str


class SharedFile:
    """The file that this process appends to, for several destinations: one line, one write.

    Any thread appends. Any destination's sender tends it, one at a time, so that none of them waits for another. `begun` are the segments
    that no reader has taken up yet, for each reader, in their order. `on_full` is told of a line that there was no room for. Where the disk
    has no hard links, each destination has lines of its own, and each line is written to all of them; `on_no_links` is called then.

    There is room as long as somebody tends it: each destination drops its oldest files for itself, so that one that is away leaves the
    others' alone.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        *,
        nonce: Callable[[], str],
        max_bytes: int,
        clock: Clock,
        on_full: Callable[[bytes], None],
        on_no_links: Callable[[OSError], None],
    ) -> None:
        self._readers = readers
        self._nonce = nonce
        self._max_bytes = self._room = max_bytes
        self.loud_at = min(SEGMENT_BYTES, max_bytes // 4)
        self._clock = clock
        self._on_full = on_full
        self._on_no_links = on_no_links
        self._tending = threading.RLock()  # a `__del__` may close it while the same thread tends it
        self._closed = False
        self._links = True
        self.given_up_at: float | None = None
        self.begun: list[list[Segment]] = [[] for _ in readers]
        for reader in readers:
            make_place(reader.folder)
        self._newest, self._fds = self._new_file()
        self._identities = [os.fstat(fd) for fd in self._fds]
        self._publish()

    def append(self, line: bytes) -> bool:
        """Add a line, unless there is no room for it.

        Raises:
            OSError: it could not be written, or not everywhere.
            OutboxClosed: it was written, but too late.
        """
        size = len(line)
        if self.given_up_at is not None:
            raise OutboxClosed
        if self._room < size:
            self._on_full(line)
            return False
        for fd in self._fds:
            written = writing.write(fd, line)
            self._room -= written
            if written != size:
                for segment in self._newest:
                    segment.doubtful = True
                raise OSError("the disk took only a part of a line")
        if self._closed:
            raise OutboxClosed
        return True

    def tend(self) -> None:
        """Begin a new file if the current one is large, unless another thread is just at it.

        Raises:
            OSError: there can't be a new one; or, with `EBADF`, somebody has closed our descriptors.
        """
        if not self._tending.acquire(blocking=False):
            return
        try:
            if self._closed:
                return
            if not all(map(is_ours, self._fds, self._identities)):
                raise OSError(errno.EBADF, "somebody has closed it")
            if self.given_up_at is None and os.fstat(self._fds[0]).st_size >= self.loud_at:
                self._rotate()
            self._room = self._max_bytes
            writing.prepare()
        finally:
            self._tending.release()

    def end(self) -> None:
        """Append no more. Late writers still have a moment; whoever has the line already is told that it was too late."""
        if self.given_up_at is None:
            self.given_up_at = self._clock.monotonic()

    def close(self) -> None:
        """Append no more, and take no more from late writers: what they write from here on goes elsewhere."""
        self.end()
        with self._tending:  # from here on no file is begun that nobody takes up
            self._closed = True

    def is_sealed(self) -> bool:
        """Tell whether no late writer is left."""
        return self._closed or (self.given_up_at is not None and self._clock.monotonic() - self.given_up_at > RETIRE_SECONDS)

    def forget(self) -> None:
        """Let go of the descriptors that are written through."""
        self.end()
        self._closed = True
        for fd, identity in zip(self._fds, self._identities, strict=True):
            close_if_ours(fd, identity)
        self._fds = []
        self._identities = []

    def __del__(self) -> None:
        """Close what is open; no late writer is left, since each holds a reference."""
        with contextlib.suppress(AttributeError, OSError):  # the constructor failed
            self.forget()

    def _rotate(self) -> None:
        self._newest, fds = self._new_file()
        self._publish()  # before anything is written to it: whoever flushes then looks into it
        if len(fds) == len(self._fds):
            for old, new in zip(self._fds, fds, strict=True):
                os.dup2(new, old, inheritable=False)
                os.close(new)
        else:  # links came to an end: the number of files is another one from now on
            self._fds = fds
        self._identities = [os.fstat(fd) for fd in self._fds]

    def _publish(self) -> None:
        for begun, segment in zip(self.begun, self._newest, strict=True):
            begun.append(segment)

    def _new_file(self) -> tuple[list[Segment], list[int]]:
        """Make the lines' file, with a name in each folder, and each destination's head beside it; or nothing at all."""
        name = f"{int(self._clock.wall() * 1000):015d}-{self._nonce()}-{next(_numbers):06d}"
        with contextlib.ExitStack() as undo:
            fds = [self._lines(self._readers[0].folder / f"{name}{LINES}", undo)]
            for reader in self._readers[1:]:
                path = reader.folder / f"{name}{LINES}"
                if not self._linked(self._readers[0].folder / path.name, path, undo):
                    fds.append(self._lines(path, undo))
            segments = []
            for reader in self._readers:
                path = reader.folder / f"{name}{SUFFIX}"
                segments.append(Segment.create(path, reader.destination, reader.metadata_hash, linked=True))
                undo.callback(segments[-1].remove)
            undo.pop_all()
        return segments, fds

    @staticmethod
    def _lines(path: Path, undo: contextlib.ExitStack) -> int:
        fd = open_private(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        undo.callback(path.unlink, missing_ok=True)
        undo.callback(os.close, fd)
        return fd

    def _linked(self, first: Path, path: Path, undo: contextlib.ExitStack) -> bool:
        """Give the first destination's lines a name in another's folder; False where the disk can't."""
        if self._links:
            try:
                os.link(first, path, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _WITHOUT_LINKS:
                    raise
                self._links = False
                self._on_no_links(error)
            else:
                undo.callback(path.unlink, missing_ok=True)
        return self._links
