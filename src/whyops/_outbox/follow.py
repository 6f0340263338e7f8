"""The lines of all outbox files as they are written, for those who only look. What is delivered meanwhile is seen all the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .._runtime.private_files import reading
from .inspect import outbox_folders
from .segment import LINES, SUFFIX


class OutboxFollower:
    """Reads on where it stopped the last time; the first time it only takes note of what there is."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._read: dict[str, int] = {}
        for path in self._files():
            with contextlib.suppress(OSError):
                self._read[path.name] = path.stat().st_size

    def lines(self) -> list[bytes]:
        """Return the whole lines that were written since, in order for each process."""
        paths = list(self._files())
        found = [line for path in paths for line in self._new_in(path)]
        self._read = {path.name: self._read.get(path.name, 0) for path in paths}
        return found

    def _files(self) -> Iterator[Path]:
        """Yield what lines stand in: of the files of several destinations that hold the same, and so have one name, one."""
        seen = set()
        for folder in outbox_folders(self._home):
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                beside = path.with_suffix(LINES)
                file = beside if beside.exists() else path
                if file.name not in seen:
                    seen.add(file.name)
                    yield file

    def _new_in(self, path: Path) -> list[bytes]:
        start = self._read.get(path.name)
        with contextlib.suppress(OSError), reading(path) as file:  # it may be delivered, and gone, at any moment
            if start is None:
                start = 0 if path.suffix == LINES else len(file.readline())  # the head
            file.seek(start)
            lines = [line for line in file if line.endswith(b"\n")]
            self._read[path.name] = start + sum(map(len, lines))
            return lines
        return []
