"""Windows, and Python in a browser: simulated by taking away what they lack. What is recorded is delivered, or it is said why not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.other_systems import BARE_BROWSER, BROWSER, WINDOWS
from tests.server import StrictServer

LOG = 'import logging; logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)\n'
SYSTEMS = pytest.mark.parametrize("system", [WINDOWS, BROWSER], ids=["windows", "browser"])

RECORD = """
import whyops

@whyops.tool
def search(word: str) -> str:
    return word.upper()

with whyops.trace("t", external_user_id="user") as trace:
    trace.user_message_sync([{"role": "user", "content": "Hello!"}])
    assert search("word") == "WORD"
"""
NO_THREAD = "WARNING Could not start the delivery thread"
FLUSH = "print(tuple(whyops.configure().flush_sync(timeout=20))[:2])\n"


def run(system: str, code: str, home: Path | None, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    if home is not None:
        environment["WHYOPS_HOME"] = str(home)
    command = [sys.executable, "-c", system + LOG + code, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def cli(system: str, home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(system, "import sys; from whyops._cli._main import main; sys.exit(main(sys.argv[1:]))", home, *words, **variables)


def told(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return how all that was said begins, but for what is only information."""
    return {line[: len(NO_THREAD)] for line in done.stderr.splitlines() if not line.startswith("INFO")}


def service(server: StrictServer) -> dict[str, str]:
    return {
        "WHYOPS_API_KEY": "whyops_test",
        "WHYOPS_AGENT_NAME": "agent",
        "WHYOPS_ANALYSE_BASE_URL": server.url,
        "WHYOPS_PROXY_BASE_URL": server.proxy_url,
    }


@SYSTEMS
@pytest.mark.parametrize("ending", [FLUSH, ""], ids=["flush", "exit"])
def test_the_local_store_gets_all(tmp_path: Path, system: str, ending: str) -> None:
    """At a flush and at the end, without a wait and without a warning; then the commands show it."""
    began = time.monotonic()
    done = run(system, RECORD + ending, tmp_path / "home")
    assert (done.returncode, done.stdout) == (0, "(3, 0)\n" if ending else ""), done.stderr
    assert told(done) <= {NO_THREAD}
    assert "no file locks, so events wait in memory" in done.stderr
    assert time.monotonic() - began < 60
    shown = cli(system, tmp_path / "home", "show", "t")
    assert shown.returncode == 0, shown.stderr
    assert "search" in shown.stdout


@SYSTEMS
@pytest.mark.parametrize("ending", [FLUSH, ""], ids=["flush", "exit"])
def test_the_service_gets_all(tmp_path: Path, system: str, ending: str) -> None:
    """The same with a key."""
    with StrictServer() as server:
        done = run(system, RECORD + ending, tmp_path / "home", **service(server))
        assert (done.returncode, done.stdout) == (0, "(3, 0)\n" if ending else ""), done.stderr
        assert told(done) <= {NO_THREAD}
        assert len(server.events) == 3


@SYSTEMS
def test_many_events_and_closing(tmp_path: Path, system: str) -> None:
    """More than a batch arrives, each once, in the order in which it was recorded; a closed client opens again."""
    code = """
import asyncio, whyops
sdk = whyops.WhyOps()
trace = sdk.trace("many")
for number in range(1500):
    trace.error_sync(str(number))
asyncio.run(sdk.flush(timeout=20))
trace.error_sync("1500")
print(sdk.close_sync(timeout=20).delivered)
trace.error_sync("1501")
"""
    with StrictServer() as server:
        done = run(system, code, tmp_path / "home", **service(server))
        assert (done.returncode, done.stdout) == (0, "1501\n"), done.stderr
        assert [event["content"]["message"] for event in server.events] == [str(number) for number in range(1502)]


@SYSTEMS
def test_no_home(tmp_path: Path, system: str) -> None:
    """Where `~` leads nowhere, and nothing names a folder, the service gets all from memory."""
    nowhere = "import pathlib\ndef expanduser(self): raise RuntimeError('There is no home')\npathlib.Path.expanduser = expanduser\n"
    with StrictServer() as server:
        done = run(system, nowhere + RECORD + FLUSH, None, **service(server))
        assert (done.returncode, done.stdout) == (0, "(3, 0)\n"), done.stderr
        assert len(server.events) == 3


@SYSTEMS
def test_a_service_that_is_away_costs_a_bounded_time(tmp_path: Path, system: str) -> None:
    """A flush and the end give up in time, and say what is lost with the process."""
    code = "import whyops\nsdk = whyops.configure(exit_timeout=1)\n" + RECORD + "print(tuple(sdk.flush_sync(timeout=0.5))[:2])\n"
    began = time.monotonic()
    away = {"WHYOPS_ANALYSE_BASE_URL": "http://127.0.0.1:9", "WHYOPS_PROXY_BASE_URL": "http://127.0.0.1:9"}
    done = run(system, code, tmp_path / "home", WHYOPS_API_KEY="whyops_test", WHYOPS_AGENT_NAME="agent", **away)
    assert (done.returncode, done.stdout) == (0, "(0, 3)\n"), done.stderr
    assert "3 events could not be delivered" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 60


def test_commands_on_windows(tmp_path: Path) -> None:
    """Each command works on what was recorded there, and `doctor` names what is missing."""
    home = tmp_path / "home"
    assert run(WINDOWS, RECORD, home).returncode == 0
    for words in (["list"], ["status"], ["export", "t", "-o", str(tmp_path / "t.jsonl")], ["report", "t", "-o", str(tmp_path / "t.html")]):
        done = cli(WINDOWS, home, *words)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (words, done.stderr)
    assert (tmp_path / "t.jsonl").read_text("utf-8").count("\n") == 3
    doctor = cli(WINDOWS, home, "doctor")
    assert "file locks do not work" in doctor.stdout
    assert "Traceback" not in doctor.stderr
    with StrictServer() as server:
        pushed = cli(WINDOWS, home, "push", "t", **service(server))
        assert (pushed.returncode, pushed.stdout) == (0, "3 events delivered.\n"), pushed.stderr
        assert len(server.events) == 3
    pruned = cli(WINDOWS, home, "prune", "--user", "user")
    assert (pruned.returncode, "Traceback" in pruned.stderr) == (0, False), pruned.stderr
    assert "user" not in cli(WINDOWS, home, "list").stdout


def test_what_is_erased_on_windows(tmp_path: Path) -> None:
    """A user's events go from those set aside, too."""
    home = tmp_path / "home"
    with StrictServer() as server:
        server.spoil(lambda event: event["eventType"] == "user_message", 400, {"error": "Validation failed"})
        assert run(WINDOWS, RECORD + FLUSH, home, **service(server)).stdout == "(2, 0)\n"
    (parked,) = home.rglob("parked.jsonl")
    assert parked.read_text("utf-8").count("Hello!") == 1
    pruned = cli(WINDOWS, home, "prune", "--user", "user")
    assert (pruned.returncode, "Traceback" in pruned.stderr) == (0, False), pruned.stderr
    assert "Hello!" not in parked.read_text("utf-8")


def test_what_a_bare_browser_lacks_is_named(tmp_path: Path) -> None:
    """Without ssl there is no connection, without sqlite3 no local store: said once, with what to do; a sink of one's own gets all."""
    code = "import whyops\nsdk = whyops.configure(exit_timeout=0.5)\n" + RECORD + "sdk.flush_sync(timeout=0.5)\n"
    keyed = run(BARE_BROWSER, code, tmp_path / "home", WHYOPS_API_KEY="whyops_test", WHYOPS_AGENT_NAME="agent")
    assert keyed.returncode == 0, keyed.stderr
    assert "this Python has no ssl, so it can make no connection" in keyed.stderr
    assert "Traceback" not in keyed.stderr
    local = run(BARE_BROWSER, RECORD + FLUSH, tmp_path / "home")
    assert (local.returncode, local.stdout) == (0, "(0, 3)\n"), local.stderr
    assert "This Python has no sqlite3, so there is no local store" in local.stderr
    assert "Traceback" not in local.stderr
    own = "from whyops.testing import MemorySink\nimport whyops\nsink = MemorySink()\nsdk = whyops.configure(sink=sink)\n"
    kept = run(BARE_BROWSER, own + RECORD + "print(sdk.flush_sync(timeout=20).delivered, len(sink.events))\n", tmp_path / "home")
    assert (kept.returncode, kept.stdout) == (0, "3 3\n"), kept.stderr
