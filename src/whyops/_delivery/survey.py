"""What lies on disk, for those who only look: which destinations, how much waits there, and who is alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .destination import Destination
from .segment import SUFFIX, count_lines, is_held, read_head
from .tally import PARKED_FILE, Counts, read_counts


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
    parked_file: Path | None = field(default=None)

    @property
    def recorded(self) -> int:
        """Return how many events were ever recorded there."""
        return self.counts.delivered + self.counts.parked + self.counts.sampled_out + self.waiting


def survey(home: Path) -> list[Waiting]:
    """Look at all destinations that ever had an outbox file under `home`. Changes nothing."""
    return [_look_at(folder) for folder in sorted(_folders(home))]


def is_alive(home: Path, nonce: str) -> bool:
    """Tell whether the process with this nonce (the beginning of its events' idempotency keys) still holds an outbox file."""
    return any(is_held(path) for folder in _folders(home) for path in folder.glob(f"*-{nonce}-*{SUFFIX}"))


def _folders(home: Path) -> Iterator[Path]:
    outbox = home / "outbox"
    if outbox.is_dir():
        yield from (folder for folder in outbox.iterdir() if folder.is_dir())


def _look_at(folder: Path) -> Waiting:
    told, counts = read_counts(folder)
    waiting = orphaned = 0
    for path in folder.glob(f"*{SUFFIX}"):
        head = read_head(path)
        left = count_lines(path, _position(head))
        waiting += left
        orphaned += 0 if is_held(path) else left
        told = told or _strings(head.get("destination"))
    parked = folder / PARKED_FILE
    return Waiting(folder, _destination(told), counts, waiting, orphaned, parked if parked.exists() else None)


def _position(head: dict[str, object]) -> int:
    acknowledged = head.get("acknowledged")
    return int(acknowledged) if isinstance(acknowledged, str) and acknowledged.isdigit() else 0


def _strings(value: object) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def _destination(told: dict[str, str]) -> Destination | None:
    try:
        return Destination(**told)
    except TypeError:
        return None
