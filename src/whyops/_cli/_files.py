"""Files that a command writes where the user says, as `cp` would: a link is followed, a device or a pipe is written into.

A new file is its owner's alone, and an ordinary file is replaced as a whole, so that nobody sees half of one.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .._runtime.private_files import is_owner
from ..errors import WhyOpsError


def write_out(path: Path, parts: Iterable[bytes]) -> int:
    """Write a file, replacing an existing one and keeping its mode. Return how many bytes it has.

    Raises:
        WhyOpsError: The file can't be written.
    """
    try:
        target, mode = _replaceable(path)
        if target is None:
            with path.open("wb") as file:
                return sum(map(file.write, parts))
        return _replace(target, mode, parts)
    except OSError as error:
        raise WhyOpsError(f"{path} can't be written: {error.strerror or error}.") from None


def _replaceable(path: Path) -> tuple[Path | None, int]:
    """Return the file to replace or create, and its mode; no file if what exists has to be written into."""
    target = path.resolve()
    try:
        found = path.stat()
    except FileNotFoundError:
        return target, 0o600
    is_plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and _is_same(target, found)
    may_replace = is_plain and os.access(target.parent, os.W_OK) and is_owner(found)
    return (target, stat.S_IMODE(found.st_mode)) if may_replace else (None, 0)


def _is_same(path: Path, found: os.stat_result) -> bool:
    """Return whether a path leads to a file; what /dev/stdout leads to may have no path, or none any more."""
    with contextlib.suppress(OSError):
        return os.path.samestat(path.lstat(), found)
    return False


def _replace(target: Path, mode: int, parts: Iterable[bytes]) -> int:
    descriptor, name = tempfile.mkstemp(prefix=".whyops-", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            size = sum(map(file.write, parts))
        draft.chmod(mode)
        draft.replace(target)
        return size
    finally:
        draft.unlink(missing_ok=True)
