"""A strict service for programs that run in many processes, and what arrived there."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.server import ServerProcess
from whyops._outbox.inspect import inspect_outboxes

NEEDED = ("celery", "cloudpickle", "gevent", "gunicorn", "joblib")

collect_ignore_glob = [] if all(map(importlib.util.find_spec, NEEDED)) else ["test_*.py"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all that is here: it runs in the nox session that has the servers."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.servers)


class Service:
    """The strict server, and the folder and environment of the programs that send to it."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "WHYOPS_HOME": str(folder / "home"),
            "WHYOPS_API_KEY": "whyops_test",
            "WHYOPS_AGENT_NAME": "servers",
            "WHYOPS_ANALYSE_BASE_URL": server.url,
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a Python; what it says goes to a file, `log`."""
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, *command], env=self.environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, text=True
            )

    def run(self, *command: str, seconds: float = 50) -> None:
        """Run a Python to its end, which must be a good one."""
        assert self.start(*command).wait(seconds) == 0, self.log()

    def log(self) -> str:
        """Return what the programs have said."""
        return (self.folder / "log").read_text()

    def end(self, process: subprocess.Popen[str], signal: int) -> float:
        """Tell a server to end; return how many seconds it took."""
        began = time.monotonic()
        process.send_signal(signal)
        process.wait(30)
        return time.monotonic() - began

    def events(self) -> Sequence[Any]:
        """Return the events that have arrived."""
        return self._server.events

    def not_continued(self) -> Counter[str]:
        """Return how often a program did not continue a trace that was named to it, by reason."""
        told: Counter[str] = Counter()
        for one in inspect_outboxes(Path(self.environment["WHYOPS_HOME"])):
            told.update(one.counts.not_continued_reasons)
        return told

    def calls(self, count: int) -> list[Call]:
        """Return the calls that arrived, once what waits in files is sent too. Each event came once, each call is closed."""
        self.run("-m", "whyops", "deliver")
        events = self._server.events
        assert max(Counter(event["idempotencyKey"] for event in events).values()) == 1
        requests = [Call(event) for event in events if event["eventType"] == "tool_call_request"]
        closed = [event["spanId"] for event in events if event["eventType"] == "tool_call_response"]
        assert sorted(call.span for call in requests) == sorted(closed)
        assert len(requests) == count, self.log()
        return requests


def wait_for(port: int, server: subprocess.Popen[str]) -> None:
    """Wait until a server listens, or has ended."""
    deadline = time.monotonic() + 60
    while not _listens(port) and time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Call:
    """A call that arrived: its tool, its place, and its arguments."""

    def __init__(self, event: Any) -> None:
        self.tool: str = event["content"]["toolCalls"][0]["name"]
        self.arguments: dict[str, Any] = event["content"]["toolCalls"][0]["arguments"]
        self.trace: str = event["traceId"]
        self.span: str = event["spanId"]
        self.parent: str | None = event["metadata"].get("parentSpanId")
        self.user: str | None = event.get("externalUserId")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a running service, to which every program that is started through it sends."""
    with ServerProcess(tmp_path / "journal") as server:
        yield Service(server, tmp_path)
