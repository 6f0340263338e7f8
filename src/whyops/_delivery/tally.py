"""What became of a destination's events, in numbers: of this process in memory, of all of them in a small file."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .clock import Clock
from .destination import Destination
from .locks import lock, unlock

COUNTS_FILE = "counts.json"
PARKED_FILE = "parked.jsonl"
PARKED_BYTES = 32_000_000
MAX_REASONS = 20
OTHER_REASONS = "other reasons"
LAST_ATTEMPTS = 20
LAST_PAUSE_SECONDS = 0.005


@dataclass
class Counts:
    """Numbers of events, and for the parked and the sampled-out ones how many for each reason."""

    delivered: int = 0
    parked: int = 0
    sampled_out: int = 0
    dropped: int = 0
    parked_reasons: dict[str, int] = field(default_factory=dict)
    sampled_out_reasons: dict[str, int] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add another's numbers to these."""
        self.delivered += other.delivered
        self.parked += other.parked
        self.sampled_out += other.sampled_out
        self.dropped += other.dropped
        _add_reasons(self.parked_reasons, other.parked_reasons)
        _add_reasons(self.sampled_out_reasons, other.sampled_out_reasons)

    @classmethod
    def from_json(cls, value: object) -> Counts:
        """Read what `vars` of an instance has become on disk; what is not understood counts as nothing."""
        counts = cls()
        if isinstance(value, dict):
            for name, default in vars(cls()).items():
                told = value.get(name)
                if isinstance(told, dict) and isinstance(default, dict):
                    setattr(counts, name, {str(reason): count for reason, count in told.items() if isinstance(count, int)})
                elif isinstance(told, int) and isinstance(default, int):
                    setattr(counts, name, told)
        return counts


class Tally:
    """Counts for this process, and adds to the destination's file what is new. Used by the sender's thread alone."""

    def __init__(self, folder: Path | None, destination: Destination, clock: Clock) -> None:
        self._folder = folder
        self._destination = destination
        self._clock = clock
        self._unsaved = Counts()
        self.total = Counts()

    def count(self, new: Counts) -> None:
        """Add to the numbers; `save` makes them last."""
        self.total.add(new)
        self._unsaved.add(new)

    def park(self, line: bytes, reason: str) -> None:
        """Keep a refused event aside, with the reason, and count it."""
        if self._folder is not None:
            note = json.dumps({"parkedAt": int(self._clock.wall()), "reason": reason}).encode()
            with contextlib.suppress(OSError):  # on a full disk the count and the log line are what is left of it
                _append(self._folder / PARKED_FILE, note[:-1] + b', "event": ' + line.rstrip(b"\n") + b"}\n")
        self.count(Counts(parked=1, parked_reasons={_short(reason): 1}))

    def save(self) -> None:
        """Add what was counted since the last time to the destination's file; if another process is at it, the next time."""
        if self._folder is None or self._unsaved == Counts():
            return
        with contextlib.suppress(OSError), _locked(self._folder / COUNTS_FILE) as fd:
            saved = _load(os.pread(fd, 1 << 20, 0))
            saved.add(self._unsaved)
            data = json.dumps({"destination": self._destination.as_json(), **vars(saved)}).encode() + b"\n"
            os.pwrite(fd, data, 0)
            os.ftruncate(fd, len(data))
            self._unsaved = Counts()

    def save_for_good(self) -> None:
        """Save, and wait a moment for another process that is at it: there is no next time."""
        for _ in range(LAST_ATTEMPTS):
            self.save()
            if self._unsaved == Counts():
                break
            time.sleep(LAST_PAUSE_SECONDS)


def read_counts(folder: Path) -> tuple[dict[str, str], Counts]:
    """Return whose the folder is (nothing, if it doesn't say) and what was counted there by all processes."""
    try:
        data = (folder / COUNTS_FILE).read_bytes()
        destination = dict(json.loads(data)["destination"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}, Counts()
    return {str(key): str(value) for key, value in destination.items()}, _load(data)


def _load(data: bytes) -> Counts:
    try:
        return Counts.from_json(json.loads(data))
    except ValueError:
        return Counts()


def _add_reasons(reasons: dict[str, int], new: dict[str, int]) -> None:
    for reason, count in new.items():
        kept = reason if reason in reasons or len(reasons) < MAX_REASONS else OTHER_REASONS
        reasons[kept] = reasons.get(kept, 0) + count


def _short(reason: str) -> str:
    return reason[:200]


def _append(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # held by whoever erases from it
            lock(fd, wait=True)
        if os.fstat(fd).st_size < PARKED_BYTES:
            os.write(fd, data)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        lock(fd)
        try:
            yield fd
        finally:
            unlock(fd)
    finally:
        os.close(fd)
