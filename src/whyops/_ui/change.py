"""A number that changes when something was recorded: cheap enough to be asked for each second."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from .._outbox.watch import written_files
from .._store import STORE_NAME

_TICK_NS = 100_000_000
"""A file that was written to so lately may be written to again within the same tick of the file system's clock."""


def change_number(home: Path) -> str:
    """Return a short text that is another one after an event was written, stored, delivered or removed."""
    now = time.time_ns()
    state = "\n".join(_states(home, now))
    return blake2b(state.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _states(home: Path, now: int) -> Iterator[str]:
    for path in sorted([home / STORE_NAME, home / f"{STORE_NAME}-wal", *written_files(home)]):
        with contextlib.suppress(OSError):  # it may be gone at any moment
            stat = path.lstat()
            yield f"{path} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {now if now - stat.st_mtime_ns < _TICK_NS else 0}"
