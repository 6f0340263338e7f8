"""Which processes are known to have exited without closing their outbox: their calls without a response will never have one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .._runtime.private_files import open_private, reading

EXITED_FILE = "ended"
_MOST_BYTES = 1 << 16


def remember_exit(path: Path) -> None:
    """Remember that the process whose outbox file this was has exited. The latest few thousand are remembered."""
    nonce = path.name.split("-")[-2:-1]
    if not nonce:
        return
    with contextlib.suppress(OSError):  # then less is known about its open calls
        fd = open_private(path.parent / EXITED_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(fd, "ab") as file:
            if os.fstat(fd).st_size >= _MOST_BYTES:
                file.truncate(0)
            file.write(nonce[0].encode() + b"\n")


def has_exited(folder: Path, nonce: str) -> bool:
    """Tell whether this process is remembered to have exited."""
    try:
        with reading(folder / EXITED_FILE) as file:
            return nonce.encode() in file.read(2 * _MOST_BYTES).split(b"\n")
    except (OSError, UnicodeEncodeError):
        return False
