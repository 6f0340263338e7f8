"""The service in a process of its own, for tests that kill, fork or measure."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from .journal import Journal
from .service import Event

_ROOT = Path(__file__).parents[2]


class ServerProcess:
    """A strict server in its own process. `folder` keeps its journal: `events.jsonl` and `requests.jsonl`.

    `arguments` go to its command line (see `python -m tests.server --help`), and `script` calls any method of `Faults`, or `away`.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> ServerProcess:  # noqa: PYI034 - `Self` is not in Python 3.10
        """Start the process; it listens when this returns."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.server", "--journal", str(self._folder), *self._arguments]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End the process."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """Give the base URL of the analyse service."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def proxy_url(self) -> str:
        """Give the base URL of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def events(self) -> list[Event]:
        """Give the events stored so far, as they were sent, in order."""
        return Journal.read_events(self._folder)

    @property
    def requests(self) -> list[dict[str, object]]:
        """Give the requests answered so far: method, path, status, at, bytes."""
        return Journal.read_requests(self._folder)

    def script(self, action: str, **arguments: object) -> None:
        """Make something go wrong, say `script("fail", status=503, times=2)`, or right again: `script("clear")`."""
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{self.proxy_url}/_script/{action}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def wait_for_events(self, count: int, timeout: float = 20.0) -> list[Event]:
        """Wait until at least `count` events are stored, and give all that are; raises AssertionError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while len(events := self.events) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(events)} of {count} events within {timeout} s")
            time.sleep(0.05)
        return events
