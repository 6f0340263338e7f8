"""What was recorded arrives, once, however the process ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.interpreter import run_with_service
from tests.server import StrictServer

START = """
import os, signal, sys, threading
import whyops

@whyops.tool
def double(number):
    return 2 * number

def run_agent(name):
    with whyops.trace(name, external_user_id="u"):
        for number in range(20):
            double(number)

"""
FORK_INSIDE = """
with whyops.trace("a", external_user_id="u"):
    for number in range(10):
        double(number)
    child = os.fork()
    for number in range(5):
        double(number)
    if child:
        os.wait()
"""
ENDS = {
    "by itself": ("run_agent('a')", 0, ["a"]),
    "by an exception": ("run_agent('a'); raise SystemError", 1, ["a"]),
    "by sys.exit": ("run_agent('a'); sys.exit(3)", 3, ["a"]),
    "with a thread": ("thread = threading.Thread(target=run_agent, args=('a',)); thread.start()", 0, ["a"]),
    "after a flush": ("run_agent('a'); whyops.configure().flush_sync(); run_agent('b')", 0, ["a", "b"]),
    "with a memory outbox": ("whyops.configure(outbox='memory'); run_agent('a')", 0, ["a"]),
    "from a forked child": (
        "run_agent('a')\nif os.fork() == 0:\n    run_agent('b')\nelse:\n    os.wait()\n    run_agent('c')",
        0,
        ["a", "b", "c"],
    ),
    "from a child forked inside a trace": (
        FORK_INSIDE,
        0,
        ["a"],
    ),
}


def run_program(server: StrictServer, code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of a user with the server as its service."""
    forks_with_threads = "ignore::DeprecationWarning"  # Python's own
    return run_with_service(server, START + code, home, WHYOPS_HOME=str(home), PYTHONWARNINGS=forks_with_threads)


def counted(errors: str) -> list[str]:
    """Give each number of events that the program was told of."""
    return re.findall(r"\d+ events", errors)


def check_all_there(server: StrictServer, traces: list[str]) -> None:
    """Check that each of these traces is there with its 20 pairs, once."""
    assert Counter(event["traceId"] for event in server.events) == dict.fromkeys(traces, 40)
    assert len({event["idempotencyKey"] for event in server.events}) == len(server.events)
    assert Counter(event["eventType"] for event in server.events)["tool_call_response"] == 20 * len(traces)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_lost_at_exit(server: StrictServer, home: Path, end: str) -> None:
    """A program that never flushes loses nothing at a normal exit, and its exit code is its own."""
    code, status, traces = ENDS[end]
    done = run_program(server, code, home)
    assert done.returncode == status, done.stderr
    assert end in ("by an exception", "with a thread") or done.stderr == ""  # a late thread may find that no sender can start
    if "child forked inside" in end:
        assert Counter(event["traceId"] for event in server.events) == {"a": 40}
    else:
        check_all_there(server, traces)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"])
def test_the_next_process_delivers(server: StrictServer, home: Path, end: str) -> None:
    """What a process recorded that was killed is delivered by the next one with the same settings."""
    server.stop()
    run_program(server, f"run_agent('a'); {end}", home)
    server.start()
    run_program(server, "run_agent('b')", home)
    check_all_there(server, ["a", "b"])
    assert [event["traceId"] for event in server.events] == ["a"] * 40 + ["b"] * 40


def test_recorded_in_atexit(server: StrictServer, home: Path) -> None:
    """What is first recorded while the process ends is delivered then or by the next one."""
    run_program(server, "import atexit; atexit.register(run_agent, 'a')", home)
    run_program(server, "run_agent('b')", home)
    check_all_there(server, ["a", "b"])


def test_exit_with_a_dead_service(server: StrictServer, home: Path) -> None:
    """With the service away, exit is not held up, one line says what waits, and the next process delivers it."""
    server.stop()
    started = time.monotonic()
    done = run_program(server, "run_agent('a')", home)
    assert time.monotonic() - started < 10
    assert done.returncode == 0
    assert "40 events wait" in done.stderr
    assert counted(done.stderr) == ["40 events"]
    assert "Traceback" not in done.stderr
    server.start()
    run_program(server, "run_agent('b')", home)
    check_all_there(server, ["a", "b"])


def test_exit_with_a_hanging_service(server: StrictServer, home: Path) -> None:
    """With a service that never answers, exit waits no longer than it was told to."""
    server.hang()
    started = time.monotonic()
    done = run_program(server, "whyops.configure(exit_timeout=0.5); run_agent('a')", home)
    assert time.monotonic() - started < 8
    assert done.returncode == 0
    assert counted(done.stderr) == ["40 events"]
    assert "whyops_test" not in done.stderr


def test_the_key_is_never_on_disk(server: StrictServer, home: Path) -> None:
    """No file in the home holds the key, and each is its owner's alone."""
    server.stop()
    run_program(server, "run_agent('a')", home)
    files = [Path(folder) / name for folder, _, names in os.walk(home) for name in names]
    assert any(b"double" in file.read_bytes() for file in files)
    for file in files:
        assert b"whyops_test" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


CLOSED_AT_THE_END = """
import gc, whyops
from whyops.testing import capture

class Agent:
    def __init__(self):
        self.stream = self.run()

    @whyops.tool
    def run(self):
        yield

gc.disable()
with capture():
    next(Agent().stream)
"""


def test_a_generator_that_only_the_end_of_the_interpreter_closes(tmp_path):
    """An event that is recorded while the interpreter ends does not keep the process from ending: no thread is started for it."""
    environment = {**os.environ, "WHYOPS_HOME": str(tmp_path), "WHYOPS_API_KEY": ""}
    subprocess.run([sys.executable, "-c", CLOSED_AT_THE_END], env=environment, check=True, timeout=30)
