"""What waits on disk, for those who look again and again: a file is read once, and then only where it has grown."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .._wire.read import RecordedEvent, decode
from .inspect import outbox_folders, waiting_files
from .segment import LINES, SUFFIX, reading_lines

MOST_BYTES = 32_000_000
"""How much is read, the files that were written to last first; an outage may leave more than one wants in memory as objects."""


@dataclass
class _Seen:
    """What was read of a file: up to where, and the events that stood there, each with its place."""

    number: int
    end: int = 0
    events: list[tuple[int, RecordedEvent]] = field(default_factory=list)


class OutboxWatch:
    """Knows the events that wait below `home`. Used by one thread at a time; changes nothing there."""

    def __init__(self, home: Path, most_bytes: int = MOST_BYTES) -> None:
        self._home = home
        self._most_bytes = most_bytes
        self._seen: dict[Path, _Seen] = {}
        self.unread_bytes = 0

    def events(self) -> list[RecordedEvent]:
        """Return what waits, file by file; `unread_bytes` says how much was left out."""
        left, self.unread_bytes = self._most_bytes, 0
        seen: dict[Path, _Seen] = {}
        for path in sorted(waiting_files(self._home), key=_written_at, reverse=True):
            with contextlib.suppress(OSError), reading_lines(path) as (_, file):  # it may be delivered, and gone, at any moment
                size = os.fstat(file.fileno()).st_size
                if size > left:
                    self.unread_bytes += size
                    continue
                left -= size
                seen[path] = _read(file, self._seen.get(path))
        self._seen = seen
        return [event for path in sorted(seen) for _, event in seen[path].events]


def written_files(home: Path) -> Iterator[Path]:
    """Yield the files of all destinations in which events may wait, and those beside them in which their lines may stand."""
    for folder in outbox_folders(home):
        yield from folder.glob(f"*{SUFFIX}")
        yield from folder.glob(f"*{LINES}")


def _written_at(path: Path) -> float:
    times = [0.0]
    for each in (path, path.with_suffix(LINES)):
        with contextlib.suppress(OSError):
            times.append(each.lstat().st_mtime)
    return max(times)


def _read(file: BinaryIO, before: _Seen | None) -> _Seen:
    stat, settled = os.fstat(file.fileno()), file.tell()
    if before is None or before.number != stat.st_ino or before.end > stat.st_size:
        before = _Seen(stat.st_ino)
    events = [(place, event) for place, event in before.events if place >= settled]
    end = max(before.end, settled)
    file.seek(end)
    for line in file:
        if not line.endswith(b"\n"):  # it is being written
            break
        if (event := decode(line)) is not None:
            events.append((end, RecordedEvent(event)))
        end += len(line)
    return _Seen(stat.st_ino, end, events)
