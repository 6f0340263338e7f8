"""`whyops status` and `whyops deliver`, with what real processes left behind and a strict service to send it to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from tests._delivery.parts import QUICK
from tests.server.client import Client, event
from tests.server.server import StrictServer
from whyops._cli import _sending
from whyops._cli._main import main
from whyops._delivery.delivery import Delivery
from whyops._outbox.inspect import rejected_events

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9 and file locks")

KILLED = """
import os, whyops

@whyops.tool
def fine(x):
    return x

with whyops.trace(os.environ["TRACE"]):
    for number in range(5):
        fine(number)
os.kill(os.getpid(), 9)
"""


def leave(home: Path, trace: str = "left", **environment: str) -> None:
    """Have a process record ten events and be killed."""
    settings = {**os.environ, "WHYOPS_HOME": str(home), "TRACE": trace, **environment}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=settings, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def keyed(url: str, key: str = "whyops_test") -> dict[str, str]:
    return {"WHYOPS_API_KEY": key, "WHYOPS_AGENT_NAME": "agent", "WHYOPS_ANALYSE_BASE_URL": url}


def present(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command wait for less between two attempts."""
    monkeypatch.setattr(_sending, "Delivery", partial(Delivery, pace=QUICK))


def test_nothing_yet(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was recorded, both say so beside the output, succeed, and make no file."""
    assert main(["status"]) == 0
    assert capsys.readouterr() == ("", f"Nothing has been recorded in {home} yet.\n")
    assert main(["deliver"]) == 0
    assert capsys.readouterr().out == ""
    assert not home.exists()


def test_what_waits_for_the_service_is_told_and_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`status` counts what a killed process left for the service, `deliver` sends it once, and `status` then counts it as delivered."""
    with StrictServer() as server:
        server.stop()
        leave(home, **keyed(server.url))
        assert main(["status"]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"agent at {server.url}\n")
        assert "10 waiting" in told
        assert "set WHYOPS_API_KEY" in told

        present(monkeypatch, keyed(server.url))
        assert main(["deliver", "--timeout", "0.5"]) == 1
        assert "10 not sent: run this again to continue" in capsys.readouterr().out

        server.start()
        assert main(["deliver"]) == 0
        assert capsys.readouterr().out == f"agent at {server.url}: 10 events delivered.\n"
        assert main(["deliver"]) == 0
        assert len(server.events) == 10
        capsys.readouterr()
        assert main(["status", "--json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)
        assert (one["recorded"], one["delivered"], one["waiting"], one["presentSettings"]) == (10, 10, 0, True)


def test_they_are_sent_where_no_thread_can_be_started(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's own thread does it then; so with what goes to the local store."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "whyops-sender":
            raise RuntimeError("can't start new thread")
        start(thread)

    with StrictServer() as server:
        server.stop()
        leave(home, **keyed(server.url))
        leave(home, "kept here")
        server.start()
        monkeypatch.setattr(threading.Thread, "start", refuse)
        present(monkeypatch, keyed(server.url))
        assert main(["deliver"]) == 0
        assert len(server.events) == 10
        assert main(["list"]) == 0
        assert "kept here" in capsys.readouterr().out


def test_events_of_another_key_only_when_told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After a change of key the old key's events stay, are listed with their folder, and go with the new key only through `--from`."""
    with StrictServer(accounts={"whyops_new": "one"}) as server:
        leave(home, **keyed(server.url, "whyops_old"))
        present(monkeypatch, keyed(server.url, "whyops_new"))
        assert main(["deliver"]) == 0
        err = capsys.readouterr().err
        (folder,) = (home / "outbox").iterdir()
        assert f"`whyops deliver --from {folder.name}`" in err
        assert server.events == []
        assert main(["status"]) == 0
        assert f"deliver --from {folder.name}" in capsys.readouterr().out.replace("\n  ", " ")
        assert main(["deliver", "--from", str(folder)]) == 0
        assert "10 events delivered" in capsys.readouterr().out
        assert len(server.events) == 10


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "wrong, told", [("key", "the service refuses the API key (401"), ("path", "what answers there is not"), ("host", "can't be reached")]
)
def test_what_no_patience_mends_ends_at_once(
    wrong: str, told: str, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a key that is refused, or an address where no service is, `deliver` fails long before its time, and the log says why."""
    with StrictServer(accounts={"whyops_new": "one"}) as server:
        settings = keyed(server.url, "whyops_old" if wrong == "key" else "whyops_new")
        server.stop()
        leave(home, **settings)
        if wrong != "host":
            server.start()
        if wrong == "path":
            server.fail(404, times=None)
        present(monkeypatch, settings)
        began = time.monotonic()
        assert main(["deliver"]) == 1
        assert time.monotonic() - began < 20
        assert told in caplog.text


@pytest.mark.usefixtures("quick")
def test_a_service_that_is_busy_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes by itself, also being out of reach for a moment, is no reason to give up."""
    with StrictServer() as server:
        server.stop()
        leave(home, **keyed(server.url))
        server.start()
        server.cut(times=1)
        server.fail(503, times=2)
        present(monkeypatch, keyed(server.url))
        assert main(["deliver"]) == 0
        assert len(server.events) == 10


def test_refused_events_are_told_with_their_reason(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Permanently rejected events are kept: `deliver` says how many and fails, `status` says why and where, also with `--json`."""
    with StrictServer() as server:
        leave(home, **keyed(server.url))
        server.spoil(lambda event: event["metadata"]["tool"] == "fine" and event["eventType"] == "tool_call_response", status=409)
        present(monkeypatch, keyed(server.url))
        assert main(["deliver"]) == 1
        assert "5 events delivered, 5 rejected (see `whyops status`)" in capsys.readouterr().out
        assert main(["status"]) == 0
        told = capsys.readouterr().out
        assert " 5 rejected\n" in told
        assert "5: 409 Spoiled" in told
        assert "parked.jsonl" in told.replace("\n  ", "")
        assert main(["status", "--json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)
        assert (one["rejected"], one["rejectedReasons"]) == (5, {"409 Spoiled": 5})
        assert one["rejectedFile"].endswith("parked.jsonl")


def test_why_events_wait_is_told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`status` says why the last attempt failed, until events get through; where nothing was tried yet, it says nothing of it."""

    def reason() -> object:
        assert main(["status", "--json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)
        return one["waitingReason"]

    with StrictServer() as server:
        leave(home, **keyed(server.url))
        assert reason() is None
        present(monkeypatch, keyed(server.url))
        server.service.health.database = False
        main(["deliver", "--timeout", "0.5"])
        capsys.readouterr()
        assert "can't reach its database" in str(reason())
        assert main(["status"]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert "Why events wait, as of the last attempt: the service can't reach its database, and so can't look the key up (401)." in told
        server.service.health.database = True
        assert main(["deliver"]) == 0
        capsys.readouterr()
        assert reason() is None


def test_one_reason_for_several_traces(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal that names its trace is counted without the name: one line stands for all."""
    with StrictServer(accounts={"whyops_one": "one", "whyops_two": "two"}) as server:
        for trace in ("trace-1", "trace-2"):
            stranger = Client(server, "whyops_two")
            stranger.send(event(traceId=trace))
            stranger.close()
            leave(home, trace, **keyed(server.url, "whyops_one"))
        present(monkeypatch, keyed(server.url, "whyops_one"))
        assert main(["deliver"]) == 1
        capsys.readouterr()
        assert main(["status"]) == 0
        told = capsys.readouterr().out
        assert "20: 409 Trace … belongs to another agent, version or account" in " ".join(told.split())
        assert "trace-" not in told
        assert {one.reason for one in rejected_events(home)} == {
            f"409 Trace {trace} belongs to another agent, version or account" for trace in ("trace-1", "trace-2")
        }


def test_a_local_leftover_goes_to_the_store(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key, `deliver` puts what a killed process left into the local store."""
    leave(home, WHYOPS_API_KEY="")
    for folder in (home / "outbox").iterdir():
        if not list(folder.glob("*.lines")):  # the process was quick enough to store all
            pytest.skip("nothing was left")
    code = main(["deliver"])
    assert (code, capsys.readouterr().out.split(":")[0]) == (0, "the local store")
    assert main(["list"]) == 0
    assert "left" in capsys.readouterr().out


def test_an_unknown_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that isn't there is one line and exit code 1."""
    assert main(["deliver", "--from", "nowhere"]) == 1
    assert "No folder 'nowhere'" in capsys.readouterr().err


def test_a_password_that_an_address_held_is_not_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Base URLs with one are refused today; what an older release left behind names them without it, and does nothing on a terminal."""
    folder = home / "outbox" / "0123456789abcdef"
    folder.mkdir(parents=True, mode=0o700)
    destination = {"url": "https://me:hunter2@host/api\x1b[31m", "agent_name": "agent\x1b[2J\u202e", "key_hash": "0123456789ab"}
    head = {"format": "1", "destination": destination}
    lines = [json.dumps(head), json.dumps({"traceId": "t"})]
    (folder / "1-0011223344556677-000001.lines").write_text("\n".join(lines) + "\n")
    (folder / "counts.json").write_text(json.dumps({"destination": destination, "delivered": 1}))
    for words in (["status"], ["status", "--json"], ["deliver"]):
        main(words)
        said = "".join(capsys.readouterr())
        assert "host/api" in said
        assert "hunter2" not in said
        assert not {"\x1b", "\u202e"} & set(said)
