"""What the build before (commit a24fbf1) recorded is read, shown, delivered and pushed; it wrote tests/data/recorded_before.

Its events have no `recordedAt`, its tools' contents no name, its counters no `accepted`. Of an agent that nobody described it kept one
trace in the local store, and sent one to a service; one event there was refused, and it was killed while a third trace waited. The texts
are what its own `whyops show --full` printed of them.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import whyops
from tests.server import StrictServer
from tests.server.client import KEY
from whyops._cli._main import main

DATA = Path(__file__).parents[1] / "data" / "recorded_before"
FOLDER = "05d42172daa4dacd"
EVENTS = 19

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs file locks")

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay out the home as it was left, readable by its owner alone."""
    monkeypatch.setenv("COLUMNS", "100")
    shutil.copytree(DATA / "outbox", home / "outbox")
    (home / "traces.db").write_bytes(gzip.decompress((DATA / "traces.db.gz").read_bytes()))
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give what runs a command that succeeds, and returns its output."""

    def output_of(*arguments: str) -> str:
        capsys.readouterr()
        assert main([*arguments]) == 0
        return capsys.readouterr().out

    return output_of


@pytest.fixture
def elsewhere(server: StrictServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what goes to another machine, where only the service knows anything."""
    with_key(server, monkeypatch)
    return lambda: monkeypatch.setenv("WHYOPS_HOME", str(tmp_path / "elsewhere"))


def with_key(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a key for this service."""
    for name, value in {"API_KEY": KEY, "AGENT_NAME": "agent", "ANALYSE_BASE_URL": server.url, "PROXY_BASE_URL": server.proxy_url}.items():
        monkeypatch.setenv(f"WHYOPS_{name}", value)


def told(name: str) -> str:
    """Give what the build before showed of a trace."""
    return (DATA / f"{name}.txt").read_text("utf-8")


def without_times(text: str) -> list[str]:
    """Give a view's lines without durations and their bars: of these events the service has the milliseconds alone."""
    lines = (re.sub(r"( ·)? *<?[\d.,]+ m?s\b[^\w]*$", "", line) for line in text.splitlines())
    return [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize("name", ["kept", "left"])
def test_it_is_shown_as_it_was(run: Run, name: str) -> None:
    """What is in the store, and what waits in a file."""
    assert run("show", name, "--full") == told(name)


def test_its_numbers_are_told(run: Run) -> None:
    """By `status`: what was delivered, what waits and what was rejected."""
    (numbers,) = [one for one in json.loads(run("status", "--json")) if one["folder"].endswith(FOLDER)]
    assert {name: numbers[name] for name in ("recorded", "delivered", "accepted", "waiting", "orphaned", "rejected")} == {
        "recorded": 23,
        "delivered": 3,
        "accepted": 0,
        "waiting": EVENTS,
        "orphaned": EVENTS,
        "rejected": 1,
    }
    assert numbers["rejectedReasons"] == {"409 Spoiled": 1}


def test_what_waits_is_delivered(server: StrictServer, run: Run, elsewhere: Callable[[], None]) -> None:
    """All of it, once, as it was written, the messages in the metadata too; on another machine it is shown as it was here."""
    (file,) = (DATA / "outbox" / FOLDER).glob("*.lines")
    written = [json.loads(line) for line in file.read_text("utf-8").splitlines()[1:]]
    assert "19 events delivered." in run("deliver", "--from", FOLDER)
    sent = server.events
    assert sent[0]["metadata"].pop("messages") == sent[0]["content"]
    assert sent == [event for event in written if event["traceId"] == "left"]
    assert len(sent) == EVENTS
    elsewhere()
    complete = told("left").replace("incomplete: 19 events not delivered yet", "complete")
    assert without_times(run("show", "left", "--full")) == without_times(complete)


def test_what_is_kept_is_pushed(server: StrictServer, run: Run, elsewhere: Callable[[], None]) -> None:
    """Under the agent's name of today, and shown as it was otherwise."""
    assert run("push", "kept") == "19 events delivered.\n"
    assert len({event["idempotencyKey"] for event in server.events}) == EVENTS
    elsewhere()
    assert without_times(run("show", "kept", "--full")) == without_times(told("kept").replace("default ·", "agent ·"))


def test_a_trace_goes_on(run: Run) -> None:
    """What is recorded now comes behind what was recorded then."""
    with whyops.WhyOps() as sdk:
        sdk.trace("kept").error_sync("And now?")
        assert sdk.flush_sync(timeout=10).waiting == 0
    shown = run("show", "kept", "--full")
    assert "20 events" in shown
    assert shown.splitlines()[5:-1] == [line.replace("└─ model", "├─ model") for line in told("kept").splitlines()[5:-1]] + [
        "│     It is not delivered yet."
    ]
    assert shown.splitlines()[-1] == "└─ ✗ error  And now?"
