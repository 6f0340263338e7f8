"""Which processes are known to have ended without closing their outbox: their calls without a response will never have one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .._runtime.private_files import open_private, reading

ENDED_FILE = "ended"
_MOST_BYTES = 1 << 16


def note_end(path: Path) -> None:
    """Remember that the process whose outbox file this was has ended. The latest few thousand are remembered."""
    nonce = path.name.split("-")[-2:-1]
    if not nonce:
        return
    with contextlib.suppress(OSError):  # then less is known about its open calls
        fd = open_private(path.parent / ENDED_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if os.fstat(fd).st_size >= _MOST_BYTES:
                os.ftruncate(fd, 0)
            os.write(fd, nonce[0].encode() + b"\n")
        finally:
            os.close(fd)


def is_noted(folder: Path, nonce: str) -> bool:
    """Tell whether the end of this process was remembered."""
    try:
        with reading(folder / ENDED_FILE) as file:
            return nonce.encode() in file.read(2 * _MOST_BYTES).split(b"\n")
    except (OSError, UnicodeEncodeError):
        return False
