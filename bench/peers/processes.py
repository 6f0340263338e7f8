"""The processes of a run: the service, and one child for each figure."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from results import Figures
    from typing_extensions import Self

HERE = Path(__file__).parent


class Service:
    """The stub, in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "stub.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.url = f"http://127.0.0.1:{self._line()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def reset(self, delay: float) -> None:
        """Forget what came, and answer after `delay` seconds from now on."""
        self._ask(f"reset {delay}")

    def count(self) -> Figures:
        """Return how many requests, bytes and whole calls came."""
        counted: Figures = json.loads(self._ask("count"))
        return counted

    def _ask(self, command: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


class Child:
    """A process that runs one scenario of one SDK. `figures` is what it has printed."""

    def __init__(self, python: str, scenario: str, name: str, url: str, calls: int, home: str) -> None:
        self.figures: Figures = {}
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("WHYOPS_", "OTEL_", "LANG", "LOGFIRE_"))}
        environment |= {"BENCH_HOME": home, "WHYOPS_HOME": home, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": ""}
        command = [python, str(HERE / "child.py"), scenario, name, url, str(time.monotonic()), str(calls)]
        self._gone_at: float | None = None
        self._watcher = threading.Thread(target=self._note_end, daemon=True)
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=self._errors, cwd=home)

    def finish(self, seconds: float) -> Figures:
        """Wait for its figures and its end, and return them; what never came is left out."""
        self.wait_for_calls(seconds)
        self._end(seconds)
        return dict(self.figures)

    def wait_for_calls(self, seconds: float) -> None:
        """Wait until it has printed its figures."""
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                self.figures = {"never_returned": 1.0}
                self._process.kill()
                return
        line = self._process.stdout.readline()
        if line:
            self.figures = json.loads(line)
        elif self._process.wait() > 0:
            raise RuntimeError(f"{self._process.args!r} failed:\n{self.errors()}")

    def watch(self) -> None:
        """Begin to look out for its end, whatever else is being done meanwhile."""
        self._watcher.start()

    def exit_after(self, seconds: float) -> Figures:
        """Wait for its end, and return how long after its last call that was, how many lines it said, and how many that count events."""
        ended = self.figures.pop("ended", None)
        if ended is None:
            return {}
        self._watcher.join(max(0.0, ended + seconds - time.monotonic()))
        gone_at = self._gone_at or time.monotonic()
        self._end(0)
        lines = self.errors().splitlines()
        told = sum(bool(re.search(r"\d+ events?\b", line)) for line in lines)
        return {"exit_s": gone_at - ended, "lines_said": len(lines), "counts_said": told}

    def errors(self) -> str:
        """Return what it wrote to stderr."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def _note_end(self) -> None:
        self._process.wait()
        self._gone_at = time.monotonic()

    def _end(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self._process.kill()
        self._process.wait()


def refusing_port() -> str:
    """Return a URL where nobody listens, and nobody else can: the port is taken, and connections are refused."""
    _held.append(socket.socket())
    _held[-1].bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{_held[-1].getsockname()[1]}"


_held: list[socket.socket] = []
"""Open for as long as the run lasts, so that no port is used for two things."""


def deaf_port() -> str:
    """Return a URL where connections are taken and never answered."""
    _held.append(socket.create_server(("127.0.0.1", 0), backlog=128))
    return f"http://127.0.0.1:{_held[-1].getsockname()[1]}"
