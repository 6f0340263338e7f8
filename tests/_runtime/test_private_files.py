"""Only what is ours is opened, whatever stands there, and nothing is waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.untrusted import ANOTHER_USER, Put, each_kind, state
from whyops._runtime import private_files
from whyops._runtime.private_files import (
    NotOurs,
    is_our_file,
    is_our_folder,
    is_owner,
    make_folder,
    make_private_folder,
    open_private,
    reading,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners, modes and pipes are POSIX's")


def lowest_free_descriptor() -> int:
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_is_made_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    """Under any umask, and not left to programs that are started."""
    before = os.umask(umask)
    try:
        fd = open_private(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
    assert not os.get_inheritable(fd)
    os.write(fd, b"text")
    os.close(fd)
    with reading(tmp_path / "a") as file:
        assert file.read() == b"text"
    assert is_our_file(tmp_path / "a")


@each_kind
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, os.O_RDWR | os.O_CREAT])
def test_what_is_not_ours_is_not_opened(tmp_path: Path, put: Put, flags: int) -> None:
    """It is an error at once, costs no descriptor, and leaves what is there as it was."""
    place = tmp_path / "home"
    place.mkdir()
    put(place / "a")
    before, free = state(place / "a"), lowest_free_descriptor()
    with pytest.raises(OSError, match=r".") as caught:
        open_private(place / "a", flags)
    assert caught.value.errno
    assert state(place / "a") == before
    assert lowest_free_descriptor() == free
    assert not is_our_file(place / "a")


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    """In words that go behind the path."""
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o606)
    with pytest.raises(NotOurs, match="can be written by other users"):
        open_private(tmp_path / "open", os.O_RDONLY)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotOurs, match="is no ordinary file"):
        open_private(tmp_path / "pipe", os.O_RDONLY)


def test_a_system_without_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is of the right kind is ours there; what is not, is not."""
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o606)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(private_files, "HAS_OWNERS", False)
    monkeypatch.delattr(os, "geteuid")
    assert is_our_file(tmp_path / "open")
    assert not is_our_file(tmp_path / "pipe")
    assert is_our_folder(tmp_path)
    assert is_owner((tmp_path / "open").stat())


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_folders_are_made_for_their_owner_alone(tmp_path: Path, umask: int) -> None:
    """All that were missing, under any umask; one that is there keeps its mode."""
    tmp_path.chmod(0o755)
    before = os.umask(umask)
    try:
        make_private_folder(tmp_path / "a" / "b")
        make_folder(tmp_path)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")] == [0o755, 0o700, 0o700]


@each_kind
def test_what_is_no_folder_of_ours_is_not_used(tmp_path: Path, put: Put) -> None:
    """Neither a file, nor a link to a folder, nor one that others may write to, nor another user's."""
    if put.__name__ == "folder":
        pytest.skip("that is one")
    (tmp_path / "home").mkdir()
    put(tmp_path / "home" / "a")
    with pytest.raises(OSError, match=r"."):
        make_private_folder(tmp_path / "home" / "a")
    assert not is_our_folder(tmp_path / "home" / "a")


def test_folders_that_others_have_a_say_in(tmp_path: Path) -> None:
    """A link to a folder, one that all may write to, and another user's."""
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "another's").mkdir()
    names = ["link", "open"]
    if os.geteuid() == 0:
        os.chown(tmp_path / "another's", ANOTHER_USER, ANOTHER_USER)
        names.append("another's")
    for name in names:
        assert not is_our_folder(tmp_path / name)
        with pytest.raises(NotOurs):
            make_private_folder(tmp_path / name)
