"""What became of a destination's events, in numbers: of this process in memory, of all of them in a small file."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .._runtime import locks
from .._runtime.clock import Clock
from .._runtime.private_files import reading
from .._wire.line import trace_id_of
from .destination import Destination, make_place
from .file_head import object_in, texts_in
from .reasons import general

COUNTS_FILE = "counts.json"
REJECTED_FILE = "parked.jsonl"
_NAMES_ON_DISK = {"rejected": "parked", "rejected_reasons": "parked_reasons"}
"""As the first versions called them."""
REJECTED_BYTES = 32_000_000
MAX_REASON = 200
MAX_REASONS = 20
OTHER_REASONS = "other reasons"
MAX_TRACES = 400
LAST_ATTEMPTS = 20
LAST_PAUSE_SECONDS = 0.005

_MOST_BYTES = 1 << 20
_BLOCK = 4096
"""The file grows by so much at once, so that numbers can be written into it when the disk is full."""

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EAGAIN}
"""The disk is full, or another process is at it."""

Numbers = dict[str, int]


class Counts:
    """Numbers of events. Of those that did not get through also how many for each reason, and of those that were lost, of each trace.

    `accepted` were taken into a queue of the service's, which says no more of them. `dropped` were lost for want of room, `not_recorded`
    for any other cause. The latest traces are told apart, by their ids. `not_continued` counts no events, but how often work came from
    another process with a trace that could not be read or was not trusted. `postponed` says why events wait: it is empty when some got
    through since, and None where nothing was tried.
    """

    def __init__(
        self,
        delivered: int = 0,
        accepted: int = 0,
        rejected: int = 0,
        sampled_out: int = 0,
        dropped: int = 0,
        not_recorded: int = 0,
        not_continued: int = 0,
        *,
        rejected_reasons: Numbers | None = None,
        sampled_out_reasons: Numbers | None = None,
        not_recorded_reasons: Numbers | None = None,
        not_continued_reasons: Numbers | None = None,
        dropped_traces: Numbers | None = None,
        not_recorded_traces: Numbers | None = None,
        postponed: str | None = None,
    ) -> None:
        self.delivered = delivered
        self.accepted = accepted
        self.rejected = rejected
        self.sampled_out = sampled_out
        self.dropped = dropped
        self.not_recorded = not_recorded
        self.not_continued = not_continued
        self.rejected_reasons = rejected_reasons or {}
        self.sampled_out_reasons = sampled_out_reasons or {}
        self.not_recorded_reasons = not_recorded_reasons or {}
        self.not_continued_reasons = not_continued_reasons or {}
        self.dropped_traces = dropped_traces or {}
        self.not_recorded_traces = not_recorded_traces or {}
        self.postponed = postponed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # the numbers change

    def __repr__(self) -> str:
        return f"Counts({', '.join(f'{name}={value!r}' for name, value in vars(self).items() if value)})"

    def add(self, other: Counts) -> None:
        """Add another's numbers to these."""
        for name, value in vars(other).items():
            own = getattr(self, name)
            if isinstance(value, int):
                setattr(self, name, own + value)
            elif name == "postponed":
                self.postponed = own if value is None else value
            elif name.endswith("_reasons"):
                _add_reasons(own, value)
            else:
                _add_traces(own, value)

    def forget(self, unwanted: Callable[[str], bool], rejected: Mapping[str, int]) -> None:
        """Take back what was counted for these traces, and so many rejected events, by reason."""
        self.rejected = max(self.rejected - sum(rejected.values()), 0)
        for reason, number in rejected.items():
            name = next((one for one in (reason, OTHER_REASONS) if one in self.rejected_reasons), None)
            if name is not None:
                self.rejected_reasons[name] -= number
        self.rejected_reasons = {reason: number for reason, number in self.rejected_reasons.items() if number > 0 and self.rejected}
        for traces, name in ((self.dropped_traces, "dropped"), (self.not_recorded_traces, "not_recorded")):
            for trace_id in list(filter(unwanted, traces)):
                setattr(self, name, max(getattr(self, name) - traces.pop(trace_id), 0))

    @property
    def dropped_untraced(self) -> int:
        """How many of the dropped events are of traces that nobody knows, or knows any more."""
        return max(self.dropped - sum(self.dropped_traces.values()), 0)

    @property
    def not_recorded_untraced(self) -> int:
        """How many of the events that could not be recorded are of traces that nobody knows, or knows any more."""
        return max(self.not_recorded - sum(self.not_recorded_traces.values()), 0)

    def as_json(self) -> dict[str, int | Numbers | str | None]:
        """Return the numbers under the names that they have on disk."""
        return {_NAMES_ON_DISK.get(name, name): value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, told: dict[str, object]) -> Counts:
        """Read what `as_json` has become on disk; what is not understood counts as nothing."""
        counts = cls()
        for name, default in vars(cls()).items():
            value = told.get(_NAMES_ON_DISK.get(name, name))
            if isinstance(value, dict) and isinstance(default, dict):
                setattr(counts, name, {str(reason): count for reason, count in value.items() if isinstance(count, int)})
            elif (isinstance(value, int) and isinstance(default, int)) or (isinstance(value, str) and default is None):
                setattr(counts, name, value)
        return counts


class Counters:
    """Counts for this process, from any thread; the sender's adds to the destination's file what is new."""

    def __init__(self, folder: Path | None, destination: Destination, clock: Clock) -> None:
        self._folder = folder
        self._destination = destination
        self._clock = clock
        self._lock = threading.RLock()  # a `__del__` may record, and lose what it records
        self._unsaved = Counts()
        self._is_refused = False
        self.total = Counts()

    def count(self, new: Counts) -> None:
        """Add to the numbers; `save` makes them last."""
        with self._lock:
            self.total.add(new)
            self._unsaved.add(new)

    def drop(self, line: bytes) -> None:
        """Count an event that there is no room for."""
        self.count(Counts(dropped=1, dropped_traces={trace_id_of(line): 1}))

    def lose(self, trace_id: str, reason: str, events: int = 1) -> None:
        """Count events that could not be recorded; the trace may be unknown, and its id empty."""
        self.count(Counts(not_recorded=events, not_recorded_reasons={reason[:MAX_REASON]: events}, not_recorded_traces={trace_id: events}))

    def ignore(self, reason: str) -> None:
        """Count a trace of another process that is not continued here."""
        self.count(Counts(not_continued=1, not_continued_reasons={reason: 1}))

    def reject(self, line: bytes, reason: str) -> None:
        """Keep a refused event aside, with the reason, and count it."""
        if self._folder is not None:
            note = json.dumps({"parkedAt": int(self._clock.wall()), "reason": reason}).encode()
            note = note[:-1] + b', "event": ' + line.rstrip(b"\n") + b"}\n"
            flags = os.O_WRONLY | os.O_APPEND  # on a full disk the count and the log line are what remains of it
            with contextlib.suppress(OSError), _in_place(self._folder, REJECTED_FILE, flags, wait=True, needed=False) as fd:
                if os.fstat(fd).st_size < REJECTED_BYTES:
                    os.write(fd, note)
        self.count(Counts(rejected=1, rejected_reasons={counted_reason(line, reason): 1}))

    def postpone(self, reason: str) -> None:
        """Keep in mind why events wait; an empty reason says that some got through."""
        if reason[:MAX_REASON] != self.total.postponed:
            self.count(Counts(postponed=reason[:MAX_REASON]))

    def lose_all(self, lines: Iterable[bytes], reason: str) -> None:
        """Count events that were recorded, and are lost all the same."""
        for trace_id, events in Counter(map(trace_id_of, lines)).items():
            self.lose(trace_id, reason, events)

    def has_news(self) -> bool:
        """Tell whether something was lost or ignored that the file does not know of, and can be told of sooner or later."""
        new = self._unsaved
        return self._folder is not None and not self._is_refused and bool(new.dropped or new.not_recorded or new.not_continued)

    def save(self) -> None:
        """Add what was counted since the last time to the destination's file; if another process is at it, the next time."""
        if self._folder is None or self._unsaved == Counts():
            return
        with self._lock:
            new, self._unsaved = self._unsaved, Counts()
        try:
            with _in_place(self._folder, COUNTS_FILE, os.O_RDWR) as fd:
                saved = Counts.from_json(object_in(os.pread(fd, _MOST_BYTES, 0)))
                saved.add(new)
                _overwrite(fd, {"destination": self._destination._asdict(), **saved.as_json()})
            self._is_refused = False
        except OSError as error:
            self._is_refused = error.errno not in _PASSING
            with self._lock:
                new.add(self._unsaved)
                self._unsaved = new

    def save_for_good(self) -> None:
        """Save, and wait a moment for another process that is at it: there is no next time. Where nothing is saved, wait for nobody."""
        for _ in range(LAST_ATTEMPTS if locks.exist() else 1):
            self.save()
            if self._folder is None or self._is_refused or self._unsaved == Counts():
                break
            time.sleep(LAST_PAUSE_SECONDS)


def read_counts(folder: Path) -> tuple[dict[str, str], Counts]:
    """Return whose the folder is (nothing, if it doesn't say) and what was counted there by all processes."""
    with contextlib.suppress(OSError), reading(folder / COUNTS_FILE) as file:
        told = object_in(file.read(_MOST_BYTES))
        if destination := texts_in(told.get("destination")):
            return destination, Counts.from_json(told)
    return {}, Counts()


def counted_reason(line: bytes, reason: str) -> str:
    """Return the reason under which a rejected event is counted: without its trace's id."""
    return general(reason, [line])[:MAX_REASON]


def forget_traces(folder: Path, unwanted: Callable[[str], bool], rejected: Mapping[str, int]) -> None:
    """Let nothing in the file tell of these traces any more, nor of so many rejected events, by reason.

    Raises:
        OSError: it can't be read or written.
    """
    with locks.locked(folder / COUNTS_FILE, os.O_RDWR, wait=True) as fd:
        told = object_in(os.pread(fd, _MOST_BYTES, 0))
        counts = Counts.from_json(told)
        counts.forget(unwanted, rejected)
        _overwrite(fd, {**told, **counts.as_json()})


def _in_place(folder: Path, name: str, flags: int, *, wait: bool = False, needed: bool = True) -> contextlib.AbstractContextManager[int]:
    """Open and lock a file in a destination's folder, which isn't there yet where events wait in memory."""
    if not folder.exists():
        make_place(folder)
    return locks.locked(folder / name, flags | os.O_CREAT, wait=wait, needed=needed)


def _overwrite(fd: int, told: dict[str, object]) -> None:
    """Write a file anew, or leave it as it was: the room is taken first, and what is not needed of it is filled with blanks.

    Raises:
        OSError: there is no room.
    """
    data = json.dumps(told).encode() + b"\n"
    before = os.fstat(fd).st_size
    size = max(before, -(-len(data) // _BLOCK) * _BLOCK)
    if size > before and os.pwrite(fd, b" " * (size - before), before) < size - before:
        os.ftruncate(fd, before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.pwrite(fd, data.ljust(size), 0)


def _add_reasons(reasons: Numbers, new: Numbers) -> None:
    for reason, count in new.items():
        kept = reason if reason in reasons or len(reasons) < MAX_REASONS else OTHER_REASONS
        reasons[kept] = reasons.get(kept, 0) + count


def _add_traces(traces: Numbers, new: Numbers) -> None:
    """Add numbers, and forget the traces that were not heard of for the longest time."""
    for trace_id, count in new.items():
        if trace_id:
            traces[trace_id] = traces.pop(trace_id, 0) + count
    while len(traces) > MAX_TRACES:
        del traces[next(iter(traces))]
