"""What dead processes left in a destination's folder, and which are known to have exited: their calls without a response never have one."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from pathlib import Path

from .._runtime.clock import Clock
from .._runtime.private_files import open_private, reading
from .destination import is_our_place
from .segment import LINES, SUFFIX, Segment

ABANDONED_SECONDS = 3600.0
EXITED_FILE = "ended"
_MOST_BYTES = 1 << 16
_MOST_FILES = 256


class Orphans:
    """Hands out the files of dead processes, oldest first, as many at once as a batch has room for, each locked."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._found: deque[Path] = deque()
        self._most = _most_at_once()
        self.held: list[Segment] = []

    def look(self) -> None:
        """See which files there are now. Those of living processes are among them, and are passed over later."""
        if self._folder is not None and is_our_place(self._folder):
            with contextlib.suppress(OSError):  # no descriptor is free: the next look sees more
                self._found = deque(sorted(self._folder.glob(f"*{SUFFIX}")))
                self._tidy(self._folder)
        else:
            self._found.clear()

    def is_empty(self) -> bool:
        """Tell whether nothing that was seen is left to be looked at or delivered."""
        return not self.held and not self._found

    def shelves(self) -> list[Segment]:
        """Return the files to be delivered now, recorded with the same metadata; drained ones are removed, and the next one taken."""
        for segment in self.held:
            if segment.fd >= 0 and segment.is_drained():
                remember_exit(segment.path)
                segment.remove()
        self.held = [segment for segment in self.held if segment.fd >= 0]
        while not self.held and self._found:
            self._adopt()
        return [segment for segment in self.held if segment.metadata_hash == self.held[0].metadata_hash]

    def another(self) -> Segment | None:
        """Take one more file, recorded with the same metadata as the first; None if there is none, or so many are open already."""
        before = len(self.held)
        while len(self.held) == before < self._most and self._found:
            self._adopt()
        more = self.held[-1] if len(self.held) > before else None
        return more if more is not None and more.metadata_hash == self.held[0].metadata_hash else None

    def release(self) -> None:
        """Give back what is not delivered."""
        held, self.held = self.held, []
        for segment in held:
            segment.release()

    def _adopt(self) -> None:
        """Take the next file, unless its owner lives, or nothing is left in it."""
        segment = Segment.adopt(self._found.popleft())
        if segment is not None and segment.is_drained():
            remember_exit(segment.path)
            segment.remove()
        elif segment is not None:
            self.held = [*self.held, segment]

    def _tidy(self, folder: Path) -> None:
        """Remove files that a process began to make and never finished, or lines that were settled when it ended."""
        alone = (path for path in folder.glob(f"*{LINES}") if not path.with_suffix(SUFFIX).exists())
        for path in (*folder.glob("*.new"), *alone):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < self._clock.wall() - ABANDONED_SECONDS:
                    path.unlink()


def _most_at_once() -> int:
    """Return how many files may be open at once: a quarter of what the process may open, the rest is for those it works for."""
    try:
        allowed = os.sysconf("SC_OPEN_MAX")
    except (AttributeError, ValueError, OSError):  # a system without it
        allowed = 0
    return min(max(allowed // 4, 1), _MOST_FILES)


def remember_exit(path: Path) -> None:
    """Remember that the process whose outbox file this was has exited. The latest few thousand are remembered."""
    if nonce := path.name.split("-")[-2:-1]:
        with contextlib.suppress(OSError):  # then less is known about its open calls
            fd = open_private(path.parent / EXITED_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            with os.fdopen(fd, "ab") as file:
                if os.fstat(fd).st_size >= _MOST_BYTES:
                    file.truncate(0)
                file.write(nonce[0].encode() + b"\n")


def has_exited(folder: Path, nonce: str) -> bool:
    """Tell whether this process is remembered to have exited."""
    with contextlib.suppress(OSError, UnicodeEncodeError), reading(folder / EXITED_FILE) as file:
        return nonce.encode() in file.read(2 * _MOST_BYTES).split(b"\n")
    return False
