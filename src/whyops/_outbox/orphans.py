"""What dead processes left in a destination's folder, and which are known to have exited: their calls without a response never have one."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from pathlib import Path

from .._runtime.clock import Clock
from .._runtime.private_files import open_private, reading
from .destination import is_our_place
from .segment import SUFFIX, Segment

ABANDONED_SECONDS = 3600.0
EXITED_FILE = "ended"
_MOST_BYTES = 1 << 16


class Orphans:
    """Hands out the files of dead processes, oldest first, one at a time, each locked."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._found: deque[Path] = deque()
        self.current: Segment | None = None

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
        return self.current is None and not self._found

    def shelf(self) -> Segment | None:
        """Return the file to be delivered now; one that is drained is removed, and the next one taken."""
        while self.current is None or self.current.is_drained():
            if self.current is not None:
                remember_exit(self.current.path)
                self.current.remove()
                self.current = None
            if not self._found:
                return None
            self.current = Segment.adopt(self._found.popleft())
        return self.current

    def release(self) -> None:
        """Give back what is not delivered."""
        if self.current is not None:
            self.current.release()
            self.current = None

    def _tidy(self, folder: Path) -> None:
        """Remove files that a process began to make and never finished."""
        for path in folder.glob("*.new"):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < self._clock.wall() - ABANDONED_SECONDS:
                    path.unlink()


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
