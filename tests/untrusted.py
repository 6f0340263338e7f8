"""What may stand in the place of a file of ours, put there by somebody else or by accident. All of it is harmless."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ANOTHER_USER = 12_345

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners, modes and pipes are POSIX's")


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def folder(path: Path) -> None:
    path.mkdir(mode=0o700)


def link(path: Path) -> None:
    other = path.parent.parent / f"what {path.name} links to"
    other.write_bytes(b"not ours to touch\n")
    other.chmod(0o600)
    path.symlink_to(other)


def dangling_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / f"what {path.name} would make")


def writable_by_all(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0o666)


def of_another_user(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0o600)
    os.chown(path, ANOTHER_USER, ANOTHER_USER)


Put = Callable[[Path], None]

KINDS: list[Put] = [pipe, folder, link, dangling_link, writable_by_all]
if os.name != "nt" and os.geteuid() == 0:
    KINDS.append(of_another_user)

each_kind = pytest.mark.parametrize("put", KINDS, ids=lambda put: put.__name__)


def state(path: Path) -> tuple[object, ...]:
    """Give what must not change of what was put there."""
    found = path.lstat()
    target = path.resolve()
    held = target.read_bytes() if target.is_file() else target.exists()
    return found.st_ino, found.st_mode, found.st_uid, found.st_size, held
