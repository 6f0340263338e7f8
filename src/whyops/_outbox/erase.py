"""Take events out of what lies on disk for delivery: out of files that no living process holds, and of what was refused for good."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Container
from pathlib import Path

from .._runtime import locks
from .._wire.read import RecordedEvent, decode
from .counters import REJECTED_FILE, counted_reason, forget_traces
from .inspect import outbox_folders, rejected_in, waiting_lines
from .segment import SUFFIX, Segment

Unwanted = Callable[[RecordedEvent, float], bool]
"""Tells whether an event is to go, from it and from when its file was last written to, in seconds since 1970."""

_ALL = 1 << 62


def erase(home: Path, unwanted: Unwanted, trace_ids: Container[str]) -> int:
    """Remove the unwanted events, and return how many. A file is replaced or removed whole; a torn line in one goes, too.

    Nothing tells of the traces `trace_ids` any more. An event that waits for several destinations counts once.
    """
    count = 0
    erased: Counter[str] = Counter()
    for folder in outbox_folders(home):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            with contextlib.suppress(OSError):
                erased[path.name] = max(erased[path.name], _erase_from_segment(path, unwanted))
        reasons: Counter[str] = Counter()
        with contextlib.suppress(OSError):  # there is none, or it is not ours
            reasons = _erase_from_rejected(folder / REJECTED_FILE, unwanted)
        count += reasons.total()
        with contextlib.suppress(OSError):  # as above
            forget_traces(folder, trace_ids.__contains__, reasons)
    return count + erased.total()


def count_held(home: Path, unwanted: Unwanted) -> int:
    """Count the unwanted events that are still there: living processes hold them, and deliver them by themselves."""
    return sum(_is_unwanted(line, 0.0, unwanted) for line in waiting_lines(home))


def _is_unwanted(line: bytes, written_at: float, unwanted: Unwanted) -> bool:
    event = decode(line)
    return event is not None and unwanted(RecordedEvent(event), written_at)


def _erase_from_segment(path: Path, unwanted: Unwanted) -> int:
    segment = Segment.adopt(path)
    if segment is None:
        return 0
    written_at = os.fstat(segment.lines_fd).st_mtime
    try:
        lines, _ = segment.read(segment.acknowledged, _ALL, max(segment.end(), 1))
        kept = [line for line in lines if not _is_unwanted(line, written_at, unwanted)]
        if not kept:
            segment.remove()
        elif len(kept) < len(lines):
            segment.rewrite(kept)
        return len(lines) - len(kept)
    finally:
        segment.release()


def _erase_from_rejected(path: Path, unwanted: Unwanted) -> Counter[str]:
    """Write the file anew, in place, and return why the events had been rejected that are gone.

    Under its lock, where there are locks: else an event that is rejected at this moment may be lost.
    """
    with locks.locked(path, os.O_RDWR, wait=True, needed=locks.exist()) as fd, os.fdopen(fd, "r+b", closefd=False) as file:
        written_at = os.fstat(fd).st_mtime
        notes = file.readlines()
        is_gone = [_is_unwanted(note.partition(b', "event": ')[2][:-2], written_at, unwanted) for note in notes]
        if any(is_gone):
            file.seek(0)
            file.truncate()
            file.writelines(note for note, gone in zip(notes, is_gone, strict=True) if not gone)
    gone = map(rejected_in, itertools.compress(notes, is_gone))
    return Counter(counted_reason(one.line, one.reason) for one in gone)
