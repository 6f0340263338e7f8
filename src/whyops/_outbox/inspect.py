"""What lies on disk, for those who only look: which destinations, how much waits there, and who is alive."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from .._printable import without_password
from .._runtime.private_files import is_our_file, is_our_folder, reading
from .counters import REJECTED_FILE, Counts, read_counts
from .destination import OUTBOX, Destination
from .file_head import texts_in
from .orphans import has_exited
from .segment import SUFFIX, is_held, lines_in, reading_lines


@dataclass(frozen=True)
class Waiting:
    """One destination's folder. `destination` is None if no file in it says whose it is.

    `counts` are of all processes since the folder exists. `waiting` of its events are not delivered yet; `orphaned` of these belong to
    no living process, so the next one with this destination delivers them.
    """

    folder: Path
    destination: Destination | None
    counts: Counts
    waiting: int = 0
    orphaned: int = 0
    rejected_file: Path | None = field(default=None)

    @property
    def recorded(self) -> int:
        """Return how many events were ever recorded there."""
        counts = self.counts
        return counts.delivered + counts.accepted + counts.rejected + counts.sampled_out + self.waiting


def inspect_outboxes(home: Path) -> list[Waiting]:
    """Look at all destinations that ever had an outbox file under `home`. Changes nothing."""
    return [_look_at(folder) for folder in outbox_folders(home)]


def left_behind(home: Path) -> Iterator[tuple[Path, Destination]]:
    """Yield the folders with events of processes that have exited, each with the destination that its files name."""
    for folder in outbox_folders(home):
        told: dict[str, str] = {}
        orphaned = False
        for path in folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError), reading_lines(path) as (head, file):  # it may be delivered, and gone, at any moment
                told = told or texts_in(head.get("destination"))
                orphaned = orphaned or (bool(lines_in(file)) and not is_held(path))
            if told and orphaned:
                break
        destination = _destination(told or read_counts(folder)[0])
        if orphaned and destination is not None:
            yield folder, destination


def is_alive(home: Path, nonce: str) -> bool | None:
    """Tell whether the process with this nonce (the beginning of its events' idempotency keys) still runs; None if that is not known.

    It runs while it holds an outbox file, and has ended if it left one behind. One that wrote no file, or has closed it, says nothing.
    """
    folders = outbox_folders(home)
    files = [path for folder in folders for path in folder.glob(f"*-{escape(nonce)}-*{SUFFIX}") if is_our_file(path)]
    if any(map(is_held, files)):
        return True
    return False if files or any(has_exited(folder, nonce) for folder in folders) else None


def outbox_folders(home: Path) -> list[Path]:
    """Return the folders of all destinations that are ours."""
    outbox = home / OUTBOX
    return sorted(filter(is_our_folder, outbox.iterdir())) if is_our_folder(outbox) else []


def _look_at(folder: Path) -> Waiting:
    told, counts = read_counts(folder)
    waiting = orphaned = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError), reading_lines(path) as (head, file):  # it may be delivered, and gone, at any moment
            left = lines_in(file)
            waiting += left
            orphaned += 0 if is_held(path) else left
            told = told or texts_in(head.get("destination"))
    rejected = folder / REJECTED_FILE
    return Waiting(folder, _destination(told), counts, waiting, orphaned, rejected if is_our_file(rejected) else None)


def _destination(told: dict[str, str]) -> Destination | None:
    try:
        destination = Destination(**told)
    except TypeError:
        return None
    return destination._replace(url=without_password(destination.url))


@dataclass(frozen=True)
class Rejected:
    """An event that was refused permanently, and why."""

    line: bytes
    reason: str


def waiting_files(home: Path) -> list[Path]:
    """Return the files in which events wait, in order for each destination.

    Files of the same name hold the same events for several destinations: of these the one in which most is left.
    """
    files: dict[str, Path] = {}
    left: dict[str, int] = {}
    for folder in outbox_folders(home):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            size = 0
            with contextlib.suppress(OSError), reading_lines(path) as (_, file):  # as above
                size = os.fstat(file.fileno()).st_size - file.tell()
            if size > left.get(path.name, -1):
                files[path.name], left[path.name] = path, size
    return list(files.values())


def waiting_lines(home: Path) -> Iterator[bytes]:
    """Yield the lines that are not delivered yet to all destinations, each once, oldest first in each. Changes nothing."""
    for path in waiting_files(home):
        with contextlib.suppress(OSError), reading_lines(path) as (_, file):  # as above
            yield from (line for line in file if line.endswith(b"\n"))


def rejected_in(line: bytes) -> Rejected:
    """Return the event in a line of the file of rejected ones, and why it is there.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: The line is none of ours.
    """
    note, _, event = line.partition(b', "event": ')
    return Rejected(event[:-2] + b"\n", str(json.loads(note + b"}")["reason"]))


def rejected_events(home: Path) -> Iterator[Rejected]:
    """Yield the events that were refused permanently, of all destinations."""
    for folder in outbox_folders(home):
        with contextlib.suppress(OSError), reading(folder / REJECTED_FILE) as file:
            for line in file:
                with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                    yield rejected_in(line)
