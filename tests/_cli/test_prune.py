"""`whyops prune`: what is to go goes, from everywhere; all else stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run
from tests.server.server import StrictServer
from whyops._cli._main import main
from whyops._outbox.destination import Destination
from whyops._outbox.inspect import inspect_outboxes, rejected_events, waiting_lines
from whyops._outbox.segment import Segment
from whyops._store import schema
from whyops._store.reader import StoreReader
from whyops._store.retention import used_bytes
from whyops._store.sink import SqliteSink

SECRET = "the-secret-of-"


def run_of(trace_id: str, user: str, size: int = 10) -> Run:
    run = Run(trace_id)
    run.user(f"{SECRET}{user} " + "x" * size)
    run.tool("f", {}, 1, "s1")
    for event in run.events:
        event["externalUserId"] = user
    return run


def left(home: Path) -> list[str]:
    return sorted(summary.trace_id for summary in StoreReader(home).summaries())


def bytes_in(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_nothing_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without saying what is to go, nothing goes."""
    store(home, run_of("a", "mia"))
    assert main(["prune"]) == 1
    assert "Nothing selected" in capsys.readouterr().err
    assert left(home) == ["a"]


def test_by_id_and_dry(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says what would go; the same words without it remove that and nothing else."""
    store(home, run_of("a", "mia"), run_of("b", "tom"))
    assert main(["prune", "a", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("1 trace would be removed (")
    assert left(home) == ["a", "b"]
    assert main(["prune", "a"]) == 0
    assert capsys.readouterr().out.startswith("1 trace removed (")
    assert left(home) == ["b"]


def test_by_user(home: Path) -> None:
    """What belongs to a user goes, also where the user is not the trace's first; not a byte of it is left in the store's files."""
    mixed = run_of("mixed", "tom")
    mixed.events[-1]["externalUserId"] = "mia"
    store(home, run_of("a", "mia"), run_of("b", "mia2"), run_of("c", "tom"), mixed)
    assert SECRET.encode() + b"mia " in bytes_in(home)
    assert main(["prune", "--user", "mia"]) == 0
    assert left(home) == ["b", "c"]
    assert SECRET.encode() + b"mia " not in bytes_in(home)


@pytest.mark.parametrize("user", ["mia", "müller", 'a"b', "back\\slash", "\U0001f600", "a/b"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_user_in_any_form_of_json(home: Path, user: str, *, ascii_only: bool) -> None:
    """A later event names the user: with letters as they are, or as escapes, of which JSON allows more than one."""
    forms = {
        json.dumps(user, ensure_ascii=ascii_only),
        f'"\\u{ord(user[0]):04x}{json.dumps(user[1:])[1:]}' if ord(user[0]) < 1 << 16 else json.dumps(user),
    }
    sink = SqliteSink(home)
    for number, form in enumerate(sorted(forms)):
        for key, named in enumerate(('"tom"', form)):
            sink.send([f'{{"traceId":"t{number}","idempotencyKey":"k{key}","eventType":"error","externalUserId":{named}}}'.encode()])
    sink.send([b'{"traceId":"other","eventType":"error","externalUserId":"tom"}'])
    sink.close()
    assert main(["prune", "--user", user]) == 0
    assert left(home) == ["other"]


def test_by_age(home: Path) -> None:
    """Traces without news for so long go; the others stay."""
    store(home, run_of("a", "mia"), run_of("b", "mia"))
    import sqlite3  # noqa: PLC0415

    connection = sqlite3.connect(home / "traces.db")
    connection.execute("UPDATE traces SET stored_at = ? WHERE trace_id = 'a'", (int(time.time()) - 40 * 86_400,))
    connection.commit()
    connection.close()
    assert main(["prune", "--older-than", "30d"]) == 0
    assert left(home) == ["b"]


@pytest.mark.parametrize("size, share", [(10, 0.9), (10, 0.2), (3_000, 0.5), (60_000, 0.9), (60_000, 0.2)])
def test_by_size(home: Path, size: int, share: float) -> None:
    """The oldest go, one by one, until what is used is no more than was said: with the last of them it was more."""
    count = 600 if size < 60_000 else 40
    store(home, *(run_of(f"t{number:03}", "mia", size=size) for number in range(count)))
    before, wanted = used(home), int(used(home) * share)
    assert main(["prune", "--max-size", str(wanted), "--dry-run"]) == 0
    assert (used(home), len(left(home))) == (before, count)
    assert main(["prune", "--max-size", str(wanted)]) == 0
    kept = left(home)
    assert kept == [f"t{number:03}" for number in range(count - len(kept), count)]
    assert wanted - max(2 * size, 20_000) < used(home) <= wanted
    assert (home / "traces.db").stat().st_size <= wanted + 8_192  # for pages that tell which are free
    assert main(["prune", "--max-size", "1GB"]) == 0
    assert left(home) == kept


def test_a_dry_run_by_size_tells_exactly(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it says would go is what goes; together with what is named otherwise."""
    store(home, *(run_of(f"t{number:03}", "mia" if number % 9 else "tom", size=2_000) for number in range(100)))
    words = ["prune", "--user", "tom", "--max-size", str(used(home) // 2)]
    assert main([*words, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out.replace("removed", "would be removed") == told
    assert not any(int(trace[1:]) % 9 == 0 for trace in left(home))


def used(home: Path) -> int:
    with contextlib.closing(schema.connect_to_read(home / "traces.db")) as connection:
        return used_bytes(connection)


def test_an_empty_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was recorded there is nothing to remove, and no file is made."""
    assert main(["prune", "--user", "mia"]) == 0
    assert capsys.readouterr().out == "0 traces removed (0 bytes).\n"
    assert not home.exists()


RECORD = """
import os, sys, whyops
whyops.configure()
for user in ("mia", "tom"):
    with whyops.trace(f"trace-of-{user}", external_user_id=user) as trace:
        trace.user_message_sync([{"role": "user", "content": "the-secret-of-" + user + " "}])
        trace.error_sync("x")
print("recorded", flush=True)
if sys.argv[1] == "die":
    os.kill(os.getpid(), 9)
sys.stdin.read()
"""


def recording(home: Path, url: str, how: str) -> subprocess.Popen[bytes]:
    settings = {"WHYOPS_HOME": str(home), "WHYOPS_API_KEY": "whyops_test", "WHYOPS_AGENT_NAME": "agent", "WHYOPS_ANALYSE_BASE_URL": url}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-c", RECORD, how], env={**os.environ, **settings}, **pipes)  # type: ignore[call-overload]
    assert process.stdout.readline() == b"recorded\n"
    return process  # type: ignore[no-any-return]


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9 and file locks")
def test_what_waits_and_what_was_refused(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's events go from orphaned outboxes and from what was refused, too; the others are delivered as if nothing had been."""
    with StrictServer() as server:
        server.spoil(lambda event: event["eventType"] == "error", status=409)
        with recording(home, server.url, "live") as process:
            server.wait_for_events(2)
            process.communicate()
        assert len(list(rejected_events(home))) == 2
        server.stop()
        with recording(home, server.url, "die") as process:
            process.communicate()
            assert process.returncode == -signal.SIGKILL
        assert len(list(waiting_lines(home))) == 4
        assert main(["prune", "--user", "mia"]) == 0
        assert "3 events removed that waited for delivery or had been rejected." in capsys.readouterr().out
        assert SECRET.encode() + b"mia" not in bytes_in(home)
        assert [json.loads(line)["externalUserId"] for line in waiting_lines(home)] == ["tom", "tom"]
        assert [json.loads(aside.line)["externalUserId"] for aside in rejected_events(home)] == ["tom"]
        server.start()
        server.service.spoiled.clear()
        for name, value in (("WHYOPS_API_KEY", "whyops_test"), ("WHYOPS_ANALYSE_BASE_URL", server.url)):
            monkeypatch.setenv(name, value)
        assert main(["deliver"]) == 0
        assert [event["externalUserId"] for event in server.events[2:]] == ["tom", "tom"]
        assert sum(one.waiting for one in inspect_outboxes(home)) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs file locks")
def test_what_a_living_process_holds(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a living process is left to it, and that is said."""
    with StrictServer() as server:
        server.stop()
        with recording(home, server.url, "live") as process:
            assert main(["prune", "--user", "mia"]) == 0
            assert "2 events belong to running processes: run this again when they have exited." in capsys.readouterr().err
            process.kill()
            process.communicate()
        assert main(["prune", "--user", "mia"]) == 0
        assert "2 events removed" in capsys.readouterr().out


def test_a_users_own_timestamps_say_nothing_about_age(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What waits is as old as its writing, whatever times its events were given."""
    folder = Destination("https://example.invalid", "agent", "").folder(home)
    folder.mkdir(mode=0o700, parents=True)
    (home / "outbox").chmod(0o700)
    segment = Segment.create(folder / "1-dead-1.lines", Destination("https://example.invalid", "agent", ""), "")
    for year in (1999, 2999):
        event = {"traceId": "t", "agentName": "a", "timestamp": f"{year}-01-01T00:00:00.000Z"}
        with segment.path.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")
    segment.release()
    assert main(["prune", "--older-than", "30d"]) == 0
    assert len(list(waiting_lines(home))) == 2
    long_ago = time.time() - 40 * 86_400
    os.utime(segment.path, (long_ago, long_ago))
    assert main(["prune", "--older-than", "30d"]) == 0
    assert "2 events removed" in capsys.readouterr().out
