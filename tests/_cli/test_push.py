"""`whyops push` against the strict service."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run, conversation
from tests.server import raw
from tests.server.process import ServerProcess
from tests.server.server import StrictServer
from tests.server.service import Limits
from whyops._cli._main import main
from whyops._store.reader import StoreReader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs file locks")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYOPS_API_KEY", "whyops_test")


def at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", url)


def run_of(count: int, trace_id: str = "long") -> Run:
    run = Run(trace_id)
    for number in range(count // 2):
        run.tool("work", {"number": number}, {"done": number}, f"s{number}")
    return run


@pytest.mark.usefixtures("key")
def test_a_service_that_never_answers(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends in its time, not in that of a request, and what was not sent is told."""
    store(home, conversation())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at(monkeypatch, f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        assert main(["push", "last", "--timeout", "0.5"]) == 1
        assert time.monotonic() - began < 25  # a request has 30 s
    assert capsys.readouterr().out == "0 events delivered, 18 not sent: run this again to continue.\n"


@pytest.mark.usefixtures("key")
def test_a_trace_arrives_as_it_was_recorded_once(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All events arrive, in order and unchanged; a second push sends nothing, and one that is told to send it again changes nothing."""
    store(home, conversation())
    with StrictServer() as server:
        at(monkeypatch, server.url)
        assert main(["push", "last"]) == 0
        assert capsys.readouterr().out == "18 events delivered.\n"
        assert server.events == conversation()
        asked = len(server.ingested)
        assert main(["push", "last"]) == 0
        assert capsys.readouterr().err == "Everything was sent before; --again sends it once more.\n"
        assert len(server.ingested) == asked
        assert main(["push", "last", "--again"]) == 0
        assert server.events == conversation()


@pytest.mark.usefixtures("key")
def test_what_came_later_goes_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace that has grown since is sent on from where it was."""
    run = run_of(10)
    store(home, run)
    with StrictServer() as server:
        at(monkeypatch, server.url)
        assert main(["push", "long"]) == 0
        run.tool("more", {}, 1, "s99")
        store(home, run)
        assert main(["push", "--since", "2020-01-01"]) == 0
        assert server.events == run.events
        assert sum(len(request.events) for request in server.ingested) == 12


def test_killed_midway_and_run_again(home: Path, tmp_path: Path) -> None:
    """A push that is killed in the middle goes on where it was: each event arrives once, in order."""
    run = run_of(4000)
    store(home, run)
    with ServerProcess(tmp_path / "server") as server:
        server.script("set", latency_per_event=0.0005)
        environment = {**os.environ, "WHYOPS_HOME": str(home), "WHYOPS_API_KEY": "whyops_test", "WHYOPS_ANALYSE_BASE_URL": server.url}
        words = [sys.executable, "-m", "whyops", "push", "long"]
        for stored in (300, 1400, 2700):
            process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            server.wait_for_events(stored)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert len(server.events) < 4000
        server.script("set", latency_per_event=0.0)
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        events = server.events
    assert Counter(str(event["idempotencyKey"]) for event in events).most_common(1)[0][1] == 1
    assert events == run.events
    sizes = [request["bytes"] for request in server.requests if request["path"] == "/api/events"]
    whole = sum(len(line) for line in StoreReader(home).lines("long"))
    assert sum(int(str(size)) for size in sizes) < 1.8 * whole


@pytest.mark.usefixtures("key")
def test_a_service_that_is_away(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the service can't be reached, the command says what is left, and fails; later the same words send it."""
    store(home, conversation())
    with StrictServer() as server:
        at(monkeypatch, server.url)
        server.stop()
        assert main(["push", "last", "--timeout", "0.5"]) == 1
        assert "18 not sent: run this again to continue" in capsys.readouterr().out
        server.start()
        assert main(["push", "last"]) == 0
        assert server.events == conversation()


@pytest.mark.usefixtures("key")
def test_a_key_that_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """With a wrong key the command ends long before its time, and the log says why."""
    store(home, conversation())
    with StrictServer(accounts={"whyops_other": "one"}) as server:
        at(monkeypatch, server.url)
        began = time.monotonic()
        assert main(["push", "last"]) == 1
        assert time.monotonic() - began < 20
        assert "the service refuses the API key (401" in caplog.text


@pytest.mark.usefixtures("key")
def test_what_the_service_does_not_keep(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Events that are sampled out or refused are counted as such."""
    store(home, conversation())
    with StrictServer(limits=Limits(sampling_rate=0.0)) as server:
        at(monkeypatch, server.url)
        server.service.init("whyops_test", {"agentName": "support", "metadata": {"systemPrompt": "p", "tools": []}})
        assert main(["push", "last"]) == 0
        assert "0 events delivered, 18 sampled out by the service" in capsys.readouterr().out
    with StrictServer() as server:
        at(monkeypatch, server.url)
        server.spoil(lambda event: event["eventType"] == "llm_thinking", status=409)
        assert main(["push", "last"]) == 1
        assert "17 events delivered, 1 rejected (see `whyops status`)" in capsys.readouterr().out


@pytest.mark.usefixtures("key")
def test_a_trace_of_no_agent(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What was recorded under no agent's name is sent under the one that is said, and under none that nobody chose."""
    run = run_of(4)
    for event in run.events:
        event["agentName"] = "default"
    del run.events[0]["idempotencyKey"]
    store(home, run)
    with StrictServer() as server:
        at(monkeypatch, server.url)
        assert main(["push", "long"]) == 1
        assert "--as-agent" in capsys.readouterr().err
        assert main(["push", "long", "--as-agent", "shop"]) == 0
        assert {event["agentName"] for event in server.events} == {"shop"}
        assert main(["push", "long", "--as-agent", "shop", "--again"]) == 0
        assert len(server.events) == 4
        monkeypatch.setenv("WHYOPS_AGENT_NAME", "shop")
        assert main(["push", "long"]) == 0
        assert "sent before" in capsys.readouterr().err


def test_without_a_key_or_a_trace(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key, or without saying which traces, nothing is sent, and one line says what is missing."""
    store(home, conversation())
    assert main(["push", "last"]) == 1
    assert capsys.readouterr().err == "whyops: This needs an API key: set WHYOPS_API_KEY.\n"
    monkeypatch.setenv("WHYOPS_API_KEY", "whyops_test")
    assert main(["push"]) == 1
    assert "No traces selected" in capsys.readouterr().err


def test_json_stays_exact() -> None:
    """A line that has its key and agent is sent to the byte."""
    from whyops._cli.push import _line  # noqa: PLC0415

    line = b'{"traceId":"t", "agentName": "a","idempotencyKey":"k","content":1e400}\n'
    assert _line(line, "a", 1) == line
    assert json.loads(_line(line, "b", 1))["agentName"] == "b"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("body", [{}, {"status": "ok"}, [], None])
def test_what_answers_is_not_the_service(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, body: object
) -> None:
    """Nothing counts as sent: the cause is said, and running it again sends all of it, once."""
    store(home, conversation())
    with StrictServer() as server:
        at(monkeypatch, server.url)
        server.pour(raw(200, json.dumps(body).encode()), times=None)
        assert main(["push", "last", "--timeout", "0.5"]) == 1
        assert capsys.readouterr().out == "0 events delivered, 18 not sent: run this again to continue.\n"
        assert "Check WHYOPS_ANALYSE_BASE_URL" in caplog.text
        server.clear()
        assert main(["push", "last"]) == 0
        assert server.events == conversation()
