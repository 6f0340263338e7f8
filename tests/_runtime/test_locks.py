"""Only one process at a time, for as long as that can be had; nobody waits for good."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from whyops._runtime import locks

pytestmark = pytest.mark.skipif(not locks.exist(), reason="needs file locks")

HOLDER = """
import sys, time
from pathlib import Path
from whyops._runtime.locks import alone
with alone(Path(sys.argv[1]), 5):
    print("held", flush=True)
    sys.stdin.readline()
print("released", time.monotonic(), flush=True)
sys.stdin.readline()
"""
"""Holds the lock until it is told to let go, and lives on."""


@pytest.fixture
def path(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home / "agents.lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that has the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def seconds_to_enter(path: Path, seconds: float) -> float:
    """Give how long it takes to come in."""
    began = time.monotonic()
    with locks.alone(path, seconds):
        return time.monotonic() - began


def test_one_after_the_other(path: Path, holder: subprocess.Popen[str]) -> None:
    """The second comes in when the first is out, and soon."""
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    with locks.alone(path, 20):
        entered = time.monotonic()
        released = float(holder.stdout.readline().split()[1])
    assert entered - released < 1


def test_a_holder_that_hangs_is_waited_for_so_long_and_no_longer(path: Path, holder: subprocess.Popen[str]) -> None:
    """The other goes on after the given seconds, and so does the next one."""
    assert holder.poll() is None
    for _ in range(2):
        assert 0.2 <= seconds_to_enter(path, 0.2) < 1


def test_a_holder_that_was_killed_holds_nothing(path: Path, holder: subprocess.Popen[str]) -> None:
    """The lock goes with its process."""
    holder.kill()
    holder.wait(5)
    assert seconds_to_enter(path, 20) < 1


def test_what_fails_inside_lets_go(path: Path) -> None:
    """The exception is the caller's, and the next one need not wait."""
    with pytest.raises(ZeroDivisionError), locks.alone(path, 20):
        raise ZeroDivisionError
    assert seconds_to_enter(path, 20) < 1


def test_within_one_process_too(path: Path) -> None:
    """Whoever has it in the same process is waited for as well."""
    with locks.alone(path, 20):
        assert 0.1 <= seconds_to_enter(path, 0.1) < 1


@pytest.mark.parametrize("obstacle", ["no system", "no folder", "no file"])
def test_where_no_lock_can_be_had_it_goes_on_at_once(path: Path, obstacle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That there are none here, or that the disk has none, is no reason to wait."""
    if obstacle == "no system":
        monkeypatch.setattr(locks, "fcntl", None)
    elif obstacle == "no folder":
        path.parent.rmdir()
    else:
        path.mkdir(parents=True)
    assert seconds_to_enter(path, 20) < 1
