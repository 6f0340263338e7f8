"""An engine, or what stands before one, as a process: started, killed, started again on the same port with the same data."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx

T = TypeVar("T")
SECONDS = 120.0
"""More than any of them takes to start, or to show what it has taken, on a busy machine."""


class Process:
    """A server that listens on `port` of loopback while its `with` block runs. What it says is in `folder/log`."""

    def __init__(self, folder: Path, port: int, command: list[str], environment: Mapping[str, str]) -> None:
        self.port = port
        self._folder = folder
        self._command = command
        self._environment = {**os.environ, **environment}
        self._running: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Process:  # noqa: PYI034  (`Self` is not in Python 3.10)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """Give the address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers something."""
        with (self._folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                self._command, env=self._environment, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        eventually(self._answers, lambda answers: answers, self.log)

    def kill(self) -> None:
        """Kill it and what it has started, as `kill -9` does."""
        if self._running is not None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    def cpu(self) -> float:
        """Return how many seconds of CPU it has had, with its children: where there is `/proc`."""
        assert self._running is not None
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._running.pid:  # its group
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        """Return the last of what it has said."""
        return (self._folder / "log").read_text("utf-8", "replace")[-4_000:]

    def _answers(self) -> bool:
        assert self._running is not None
        assert self._running.poll() is None, self.log()
        try:
            return httpx.get(self.url, timeout=5).status_code > 0
        except httpx.TransportError:
            return False


def eventually(
    ask: Callable[[], T], is_right: Callable[[T], bool], say: Callable[[], str] = str, *, seconds: float = SECONDS, pause: float = 0.25
) -> T:
    """Return what is there once it is right; what it was last and what `say` returns are told if it never becomes so."""
    until = time.monotonic() + seconds
    while not is_right(found := ask()):
        assert time.monotonic() < until, f"{found}\n{say()}"
        time.sleep(pause)
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
