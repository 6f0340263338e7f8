"""What holds for every test: a home of its own, none of the machine's settings, no fault hidden by the guard, no client left open."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from whyops import _assembly, _client, _continued, _default
from whyops._config.environment import _FREEZING_HOSTS
from whyops._runtime import guard
from whyops._service import proxy_addresses as addresses


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what all tests have loaded: it would look through that each time, and many tests call it.

    Hypothesis asks it who holds trio's random generator when it is loaded, which its plugin does at the end if no test did.
    """
    import hypothesis  # noqa: F401, PLC0415  (so)

    gc.collect()
    gc.freeze()


_number = itertools.count()


@pytest.fixture
def _where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where the home of this test is to be: beside its other files, if it asks for a folder; to make one takes a while."""
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
        return folder / "home"
    homes = tmp_path_factory.getbasetemp() / "homes"
    homes.mkdir(exist_ok=True)
    return homes / str(next(_number))


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, _where: Path) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(("WHYOPS_", *_FREEZING_HOSTS))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WHYOPS_HOME", str(_where))
    monkeypatch.setattr(guard, "reraise", True)
    monkeypatch.setattr(guard, "notices", guard.Notices())
    monkeypatch.setattr(_default, "_chosen", None)
    monkeypatch.setattr(_default, "_from_environment", None)
    monkeypatch.setattr(_continued, "_without_client", None)
    monkeypatch.setattr(_client.open_clients, "_arrived", {})
    monkeypatch.setattr(addresses, "_known", set(addresses._known))  # a later test's server may get the port of a proxy that is gone
    yield
    close_all()


def close_all() -> None:
    """Close every client, and what clients that nobody holds any more have left running."""
    for client in [each for clients in _client.open_clients.made_and_arrived() for each in clients]:
        client.close_sync(timeout=2)
    for delivery in _assembly.deliveries():
        if delivery.is_running():
            delivery.close(2).result(3)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give the home of this test; nobody has made it yet."""
    return tmp_path / "home"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of a disk of 200 kB of its own; where none can be mounted the test is left out."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    close_all()
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave not a byte on a disk, and return the file to remove."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler
