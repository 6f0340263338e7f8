"""Files and folders that are ours alone: everything below the home is opened and created here.

Others may write to the folder that contains the home, or own the home. So a file is ours if it is a regular one (no link, no pipe, no
device), belongs to this user, and nobody else may write to it; a folder likewise. Anything else raises an `OSError`.

Windows and Python in a browser have neither such owners nor such modes: there any regular file and any folder is ours.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from pathlib import Path
from typing import BinaryIO

HAS_OWNERS = hasattr(os, "geteuid")
# A pipe is not waited for; Windows would write \r\n.
_ALWAYS = sum(getattr(os, flag, 0) for flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_WRITABLE_BY_OTHERS = 0o022


class NotOurs(PermissionError):
    """A file or folder is not ours. The text says why, and begins with a verb."""

    def __init__(self, why: str, path: Path) -> None:
        super().__init__(errno.EPERM, why, str(path))


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours, or create one (`O_CREAT`), and return its descriptor.

    Raises:
        OSError: it does not exist, is not ours, or can't be created.
    """
    fd = os.open(path, flags | _ALWAYS, 0o600)
    try:
        _check(os.fstat(fd), path, stat.S_IFREG)
    except OSError:
        os.close(fd)
        raise
    return fd


def reading(path: Path) -> BinaryIO:
    """Open a file of ours to read it.

    Raises:
        OSError: it does not exist, or is not ours.
    """
    return os.fdopen(open_private(path, os.O_RDONLY), "rb")


def is_our_file(path: Path) -> bool:
    """Tell whether a file exists, and is ours."""
    return _is_ours(path, stat.S_IFREG)


def is_our_folder(path: Path) -> bool:
    """Tell whether a folder exists, and is ours."""
    return _is_ours(path, stat.S_IFDIR)


def _is_ours(path: Path, kind: int) -> bool:
    with contextlib.suppress(OSError):
        _check(path.lstat(), path, kind)
        return True
    return False


def check_file(path: Path) -> None:
    """Check a file that other code is going to open.

    Raises:
        OSError: it does not exist, or is not ours.
    """
    _check(path.lstat(), path, stat.S_IFREG)


def is_owner(found: os.stat_result) -> bool:
    """Tell whether a file belongs to this user, or to nobody in particular."""
    return not HAS_OWNERS or found.st_uid == os.geteuid()


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, which nobody else can open, under any umask. An existing one is left unchanged.

    Raises:
        OSError: it can't be created.
    """
    missing = itertools.takewhile(lambda path: not path.exists(), (folder, *folder.parents))
    for path in reversed(list(missing)):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            path.chmod(0o700)


def make_private_folder(folder: Path) -> None:
    """Create a folder that is ours alone, and its parents.

    Raises:
        OSError: it can't be created, or the existing one is not ours.
    """
    make_folder(folder)
    _check(folder.lstat(), folder, stat.S_IFDIR)


def _check(found: os.stat_result, path: Path, kind: int) -> None:
    if stat.S_IFMT(found.st_mode) != kind:
        raise NotOurs("is no folder" if kind == stat.S_IFDIR else "is no ordinary file", path)
    if not is_owner(found):
        raise NotOurs(f"belongs to another user (uid {found.st_uid})", path)
    if HAS_OWNERS and found.st_mode & _WRITABLE_BY_OTHERS:
        raise NotOurs("can be written by other users (`chmod go-w` mends that)", path)
