"""One file of an outbox: a head, then the lines, and a lock that tells whether its owner lives.

The head is a line of JSON. It begins with the position up to which all lines are settled, in a fixed place, so that it can be overwritten:
who takes over the file after a crash goes on from there. A file never says where its lines are to be sent.

The lock lies on a descriptor of its own, apart from the one that is written through, and lasts until the file is removed or the process
ends. An advisory lock tells the truth where process ids don't: after their reuse, in containers, on a shared disk.

Where several destinations get the same lines, each has a small file of its own, with head and lock, and beside it a hard link to the lines
(`LINES`). So each has its own position, and takes over and removes its own file as if there were no other; the disk is free again when the
last link goes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .._runtime.forks import forks_wait, tell_children
from .._runtime.locks import lock
from .._runtime.private_files import open_private, reading
from .._wire.line import START
from .destination import Destination
from .file_head import number_in, object_in

SUFFIX = ".lines"
LINES = ".shared"
"""Ends the name of the lines that several destinations have in common; in each one's folder, beside the file with the head."""
FORMAT = 1
LINKED_FORMAT = 2
"""Of a head whose lines stand in the file beside it. A version that does not know it leaves the file alone."""
_BEGIN = b'{"acknowledged":"'
_DIGITS = 15
_BLOCK = 1 << 16
_PORTION = 1 << 18
"""Bytes that are read and cut at once: between two portions the interpreter is free for others."""


class Segment:
    """An outbox file that this process holds the lock of. Its lines are read and acknowledged by one thread at a time.

    `metadata_hash` tells with which agent metadata the lines were recorded. `sealed` means that nothing will be appended any more, so that
    an unfinished line at the end is one that never will be whole. In a `doubtful` file each line is checked before it is sent.
    """

    def __init__(
        self, path: Path, fd: int, *, acknowledged: int, metadata_hash: str, sealed: bool, doubtful: bool, lines_fd: int | None = None
    ) -> None:
        self.path = path
        self.fd = fd
        self.is_linked = lines_fd is not None
        self.lines_fd = fd if lines_fd is None else lines_fd
        self.acknowledged = acknowledged
        self.metadata_hash = metadata_hash
        self.sealed = sealed
        self.doubtful = doubtful
        self.identity = os.fstat(fd)
        self._lines_identity = os.fstat(self.lines_fd)
        tell_children(self)

    def after_fork_in_child(self) -> None:
        """Leave the lock to the parent."""
        self.release()

    @classmethod
    @forks_wait()  # a child that is forked here would hold the lock, and know nothing of it
    def create(cls, path: Path, destination: Destination, metadata_hash: str, *, linked: bool = False) -> Segment:
        """Make a new file, locked before anybody can see it under its name; its lines stand in itself, or `linked`, beside it.

        Raises:
            OSError: no such file can be made here.
        """
        passing = path.with_suffix(".new")
        fd = open_private(passing, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            lock(fd)
            size = _write_head(fd, destination, metadata_hash, linked=linked)
            lines_fd = open_private(path.with_suffix(LINES), os.O_RDONLY) if linked else None
            passing.rename(path)
            return cls(path, fd, acknowledged=size, metadata_hash=metadata_hash, sealed=False, doubtful=False, lines_fd=lines_fd)
        except BaseException:
            os.close(fd)
            passing.unlink(missing_ok=True)
            raise

    @classmethod
    @forks_wait()  # as above
    def adopt(cls, path: Path) -> Segment | None:
        """Take over the file of an owner that died; None if it lives, or if another was quicker."""
        try:
            fd = open_private(path, os.O_RDWR)
        except OSError:
            return None
        with contextlib.suppress(OSError):
            lock(fd)
            if os.fstat(fd).st_nlink == 1:  # else its owner has just removed it
                return cls._adopted(path, fd)
        os.close(fd)
        return None

    @classmethod
    def _adopted(cls, path: Path, fd: int) -> Segment:
        head, size = _read_head(fd)
        lines_fd = None
        if is_linked(head):
            lines_fd = open_private(path.with_suffix(LINES), os.O_RDONLY)
            acknowledged = settled_in(head, os.fstat(lines_fd).st_size)
        else:
            acknowledged = max(settled_in(head, os.fstat(fd).st_size), size)
        metadata_hash = str(head.get("metadata", ""))
        return cls(path, fd, acknowledged=acknowledged, metadata_hash=metadata_hash, sealed=True, doubtful=True, lines_fd=lines_fd)

    def end(self) -> int:
        """Return the position after the last line."""
        return os.fstat(self.lines_fd).st_size if self.fd >= 0 else self.acknowledged

    def is_open(self) -> bool:
        """Tell whether nobody has closed its descriptors."""
        return is_ours(self.fd, self.identity) and is_ours(self.lines_fd, self._lines_identity)

    def read(self, after: int, max_events: int, max_bytes: int) -> tuple[list[bytes], int]:
        """Return whole lines after a position, at least one if there is one, and the position after them."""
        lines: list[bytes] = []
        end, portion = after, _PORTION
        while len(lines) < max_events and end - after < max_bytes:
            block = os.pread(self.lines_fd, min(portion, max_bytes - (end - after)), end)
            found = io.BytesIO(block).readlines()
            if found and not found[-1].endswith(b"\n"):
                found.pop()
            del found[max_events - len(lines) :]
            lines += found
            end += sum(map(len, found))
            if not found:
                if len(block) < portion:
                    break
                portion *= 2
        if not lines:
            lines, end = self._read_long(after)
        if self.doubtful:
            lines = _sound(lines)
        return lines, end

    def _read_long(self, after: int) -> tuple[list[bytes], int]:
        """Return the next line, however long it is, and the position after it; what never will be whole is passed over."""
        block = os.pread(self.lines_fd, _BLOCK, after)
        while b"\n" not in block and (more := os.pread(self.lines_fd, len(block), after + len(block))):
            block += more
        line, feed, _ = block.partition(b"\n")
        if feed:
            return [line + feed], after + len(line) + 1
        return [], after + len(line) if self.sealed else after

    def waiting(self) -> int:
        """Count the lines that are not settled. May be called by any thread, at any time."""
        return count_lines(self.path.with_suffix(LINES) if self.is_linked else self.path, self.acknowledged)

    def acknowledge(self, position: int) -> None:
        """Remember that everything before `position` is settled, also for whoever finds the file."""
        self.acknowledged = position
        with contextlib.suppress(OSError):  # then a part of it is sent twice after a crash, with the same keys
            os.pwrite(self.fd, b"%0*d" % (_DIGITS, position), len(_BEGIN))

    def is_drained(self) -> bool:
        """Tell whether nothing is left in it to be sent."""
        return self.acknowledged >= self.end()

    def remove(self) -> None:
        """Delete the file and let go of the lock."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._unlink_lines()
        self.release()

    def _unlink_lines(self) -> None:
        if self.is_linked:
            with contextlib.suppress(OSError):
                self.path.with_suffix(LINES).unlink()

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Put a file with these lines alone in this one's place; who opened the old one finds that it has no name any more.

        Raises:
            OSError: it can't be written; the old one stays as it is.
        """
        head = os.pread(self.fd, _BLOCK, 0).partition(b"\n")[0] + b"\n"
        if self.is_linked:  # from now on it has its lines for itself
            head = _BEGIN + head[len(_BEGIN) :].replace(b'"format": %d' % LINKED_FORMAT, b'"format": %d' % FORMAT, 1)
        if head.startswith(_BEGIN):
            head = b"%b%0*d%b" % (_BEGIN, _DIGITS, len(head), head[len(_BEGIN) + _DIGITS :])
        passing = self.path.with_suffix(".new")
        fd = open_private(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with os.fdopen(fd, "wb") as file:
                file.writelines((head, *lines))
            passing.rename(self.path)
        except OSError:
            passing.unlink(missing_ok=True)
            raise
        self._unlink_lines()

    def release(self) -> None:
        """Let go of the lock: whoever comes next may take the file over."""
        if self.is_linked:
            close_if_ours(self.lines_fd, self._lines_identity)
        close_if_ours(self.fd, self.identity)
        self.fd = self.lines_fd = -1


def is_ours(fd: int, identity: os.stat_result) -> bool:
    """Tell whether a descriptor still belongs to that file: somebody may have closed it, and its number gone to another."""
    try:
        return os.path.samestat(os.fstat(fd), identity)
    except OSError:
        return False


def close_if_ours(fd: int, identity: os.stat_result) -> None:
    """Close a descriptor, unless it is no longer that file's."""
    if is_ours(fd, identity):
        os.close(fd)


def count_lines(path: Path, after: int) -> int:
    """Count the lines of a file after a position; a file that is gone has none."""
    with contextlib.suppress(OSError), reading(path) as file:
        file.seek(after)
        return lines_in(file)
    return 0


def lines_in(file: BinaryIO) -> int:
    """Count the lines of a file from where it stands."""
    return sum(block.count(b"\n") for block in iter(partial(file.read, _BLOCK), b""))


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock of a file."""
    try:
        fd = open_private(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        lock(fd, shared=True)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


@contextlib.contextmanager
def reading_lines(path: Path) -> Iterator[tuple[dict[str, object], BinaryIO]]:
    """Open an outbox file; give what its head says, and the file of its lines, which stands where those begin that are not settled.

    Raises:
        OSError: one of them is gone, or not ours.
    """
    with reading(path) as file:
        head = object_in(file.readline(_BLOCK))
        if is_linked(head):
            with reading(path.with_suffix(LINES)) as lines:
                lines.seek(settled_in(head, os.fstat(lines.fileno()).st_size))
                yield head, lines
        else:
            file.seek(max(settled_in(head, os.fstat(file.fileno()).st_size), file.tell()))
            yield head, file


def settled_bytes(folder: Path) -> int:
    """Return how much of the lines in a folder is settled, other processes' too: it waits for nobody, and goes with its file."""
    total = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError), reading_lines(path) as (head, lines):  # it may be gone at any moment
            total += lines.tell()
            if not is_linked(head):
                lines.seek(0)
                total -= len(lines.readline(_BLOCK))
    return total


def is_linked(head: dict[str, object]) -> bool:
    """Tell whether the lines stand in the file beside the one with this head."""
    return head.get("format") == LINKED_FORMAT


def _write_head(fd: int, destination: Destination, metadata_hash: str, *, linked: bool) -> int:
    """Write the head of a new file, and return where its lines begin."""
    rest = json.dumps({"format": LINKED_FORMAT if linked else FORMAT, "destination": destination._asdict(), "metadata": metadata_hash})
    body = b'",' + rest[1:].encode() + b"\n"
    size = len(_BEGIN) + _DIGITS + len(body)
    begin = 0 if linked else size
    if os.write(fd, b"%b%0*d%b" % (_BEGIN, _DIGITS, begin, body)) != size:
        raise OSError("the disk took only a part of a file's head")
    return begin


def _read_head(fd: int) -> tuple[dict[str, object], int]:
    """Return what the head says, and its size; a damaged head counts as one that says nothing."""
    line = os.pread(fd, _BLOCK, 0).partition(b"\n")[0]
    head = object_in(line)
    if number_in(head.get("format")) > LINKED_FORMAT:
        raise OSError("a newer version of whyops has written it")
    return head, len(line) + 1


def settled_in(head: dict[str, object], size: int) -> int:
    """Return up to where a file's lines are settled, by its head; 0 if that is damaged, or names a place that the file does not have."""
    position = number_in(head.get("acknowledged")) if "format" in head else 0
    return position if position <= size else 0


def _sound(lines: list[bytes]) -> list[bytes]:
    """Return the events in lines of which some may have been torn; what was read of them for that is kept with them."""
    with forks_wait():  # the sender loads this, and a child forked at that moment would have half of it for good
        from .._wire.objects import ReadLine, objects_in  # noqa: PLC0415  (most processes find no file of a dead one)
    events = objects_in(lines, lambda _line: None)
    read = (_whole(line) if event is None else (line, event) for line, event in zip(lines, events, strict=True))
    return [line if event is None else ReadLine.of(line, event) for line, event in read if line]


def _whole(line: bytes) -> tuple[bytes, dict[str, object] | None]:
    """Return the event in a line that may have been torn, also if it stands behind the beginning of another one, and what it holds.

    Nothing, where there is none; an event that nobody can read, as it is nested too deep, counts as one.
    """
    start = 0
    while start >= 0:
        try:
            if isinstance(event := json.loads(line[start:]), dict):
                return line[start:], event
        except RecursionError:
            return line[start:], None
        except ValueError:
            pass
        start = line.find(START, start + 1)
    return b"", None
