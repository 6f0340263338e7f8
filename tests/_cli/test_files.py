"""Where a command writes what the user asked for: as `cp` would."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from whyops._cli._files import write_out
from whyops.errors import WhyOpsError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes are POSIX's")

PARTS = [b"one\n", b"two\n"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Under any umask, and nothing lies beside it afterwards."""
    before = os.umask(0)
    try:
        assert write_out(tmp_path / ("n" * 250), PARTS) == 8
    finally:
        os.umask(before)
    (made,) = tmp_path.iterdir()
    assert made.read_bytes() == b"one\ntwo\n"
    assert mode(made) == 0o600


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Who reads the old one goes on reading it, and who might read it may read the new one."""
    path = tmp_path / "out"
    path.write_bytes(b"what was there before")
    path.chmod(0o640)
    with path.open("rb") as reader:
        write_out(path, PARTS)
        assert reader.read() == b"what was there before"
    assert path.read_bytes() == b"one\ntwo\n"
    assert mode(path) == 0o640


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """Nothing of the new one is left, either."""

    def parts() -> Iterator[bytes]:
        yield b"one\n"
        raise OSError(28, "No space left on device")

    (tmp_path / "out").write_bytes(b"before")
    with pytest.raises(WhyOpsError, match=r"out can't be written: No space left"):
        write_out(tmp_path / "out", parts())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out", b"before")]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001
    """It stays a link; what it leads to is written, there or not yet."""
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "target"
    if exists:
        target.write_bytes(b"before")
    (tmp_path / "middle").symlink_to(target)
    (tmp_path / "link").symlink_to("middle")
    write_out(tmp_path / "link", PARTS)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert not target.is_symlink()
    assert target.read_bytes() == b"one\ntwo\n"


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    """It is written into, directly and through a link."""
    (tmp_path / "link").symlink_to(os.devnull)
    for path in (Path(os.devnull), tmp_path / "link"):
        write_out(path, PARTS)
        assert stat.S_ISCHR(path.stat().st_mode)
    with pytest.raises(WhyOpsError, match="No space left"):
        write_out(Path("/dev/full"), PARTS)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    """Whoever reads from it gets all of it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    write_out(path, PARTS)
    reader.join(10)
    assert got == [b"one\ntwo\n"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_what_standard_output_leads_to(tmp_path: Path) -> None:
    """A pipe without a path, and a file that has lost its own."""
    reading, writing = os.pipe()
    write_out(Path(f"/dev/fd/{writing}"), PARTS)
    os.close(writing)
    assert os.read(reading, 100) == b"one\ntwo\n"
    os.close(reading)
    with (tmp_path / "gone").open("w+b") as file:
        (tmp_path / "gone").unlink()
        write_out(Path(f"/dev/fd/{file.fileno()}"), PARTS)
        assert file.read() == b"one\ntwo\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_two_names_keeps_both(tmp_path: Path) -> None:
    """Its contents are written anew in place."""
    (tmp_path / "a").write_bytes(b"something longer than what is written")
    os.link(tmp_path / "a", tmp_path / "b")
    write_out(tmp_path / "a", PARTS)
    assert (tmp_path / "b").read_bytes() == b"one\ntwo\n"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_stays_that_users(tmp_path: Path) -> None:
    """Who may write to it, writes to it."""
    (tmp_path / "a").write_bytes(b"before")
    os.chown(tmp_path / "a", 12_345, 12_345)
    write_out(tmp_path / "a", PARTS)
    assert (tmp_path / "a").stat().st_uid == 12_345
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    """And stays one."""
    with pytest.raises(WhyOpsError, match="Is a directory"):
        write_out(tmp_path, PARTS)
    assert list(tmp_path.iterdir()) == []
