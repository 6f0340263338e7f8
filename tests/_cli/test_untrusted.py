"""Whatever stands in the place of a file of ours: every command ends, with an answer or one line; recording goes on, and is told."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

import whyops
from tests._cli.test_commands import store
from tests._cli.test_status_and_deliver import leave
from tests._render.recordings import conversation
from tests.untrusted import ANOTHER_USER, Put, each_kind, state
from whyops._cli._main import main
from whyops._outbox.inspect import inspect_outboxes, waiting_lines
from whyops._store.reader import StoreReader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners, modes and pipes are POSIX's")

COMMANDS = (
    ["list"],
    ["show", "last"],
    ["show", "left"],
    ["status"],
    ["status", "--json"],
    ["deliver", "--timeout", "0.2"],
    ["doctor"],
    ["export"],
    ["report", "session-123", "-o", "/dev/null"],
    ["prune", "--user", "nobody"],
    ["prune", "--max-size", "1GB", "--dry-run"],
)

OF_AN_OUTBOX = ("counts.json", "parked.jsonl", "ended", "000000000000001-dead-000001.lines")

DAMAGED = {
    "over-deep": b'{"format":1,"acknowledged":"000000000000010","metadata":' + b"[" * 60_000 + b"\n",
    "large number": b'{"format":1,"acknowledged":"' + b"9" * 5000 + b'","metadata":""}\n',
    "place behind the end": b'{"format":1,"acknowledged":"999999999999999","metadata":""}\n',
    "no number": '{"format":1e400,"acknowledged":"²","metadata":[]}\n'.encode(),
    "no object": b"[1]\n",
    "control characters": b'{"format":1,"destination":{"url":"\\u001b]0;x\\u0007","agent_name":"\\u001b[31m","key_hash":""}}\n',
}


@pytest.fixture(autouse=True)
def _few_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `doctor` read of one package what is installed, and not of all that a developer has: that is not looked at here."""
    monkeypatch.setattr(metadata, "distributions", lambda: [metadata.distribution("whyops")])


@pytest.fixture
def left(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put into the home what a killed process left there. One such process is run, and each test has a copy."""
    made = tmp_path_factory.getbasetemp() / "left by a killed process"
    if not made.exists():
        leave(made)
    return Path(shutil.copytree(made, home))


def run_all(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[int, str]]:
    """Give each command's exit code and what it printed."""
    told = {}
    for words in COMMANDS:
        code = main(words)
        captured = capsys.readouterr()
        told[" ".join(words)] = code, captured.out + captured.err
    return told


def destination_folder(home: Path) -> Path:
    (folder,) = (home / "outbox").iterdir()
    return folder


def record(caplog: pytest.LogCaptureFixture) -> str:
    """Record, and give what was said about it."""
    caplog.clear()
    sdk = whyops.WhyOps()
    with caplog.at_level(logging.WARNING):
        sdk.trace("recorded").user_message_sync([{"role": "user", "content": "Hi"}])
        sdk.close_sync(0.3)
    return caplog.text


@each_kind
def test_among_the_outboxs_files(left: Path, put: Put, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """What is not ours there is passed over, and stays; all else is delivered."""
    places = [destination_folder(left) / name for name in (*OF_AN_OUTBOX, "1.new")]
    for place in places:
        place.unlink(missing_ok=True)
        put(place)
    before = [state(place) for place in places]
    assert {words: code for words, (code, _) in run_all(capsys).items() if code} == {"report session-123 -o /dev/null": 1}
    assert record(caplog) == ""
    assert sorted(summary.trace_id for summary in StoreReader(left).summaries()) == ["left", "recorded"]
    assert [state(place) for place in places] == before


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_on_purpose(left: Path, data: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Files that are ours and say nonsense say nothing, and do nothing to a terminal."""
    for name in OF_AN_OUTBOX:
        place = destination_folder(left) / name
        place.write_bytes(data)
        place.chmod(0o600)
    told = run_all(capsys)
    assert {words for words, (code, _) in told.items() if code} <= {"report session-123 -o /dev/null", "deliver --timeout 0.2"}
    assert "\x1b" not in "".join(text for _, text in told.values())
    assert record(caplog) == ""
    assert {"left", "recorded"} <= {summary.trace_id for summary in StoreReader(left).summaries()}


@each_kind
@pytest.mark.parametrize("end", ["", "-wal"])
def test_in_the_stores_place(left: Path, put: Put, end: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """The store is left alone, which is said once, with the file and what to do; what is recorded waits in the outbox."""
    store(left, conversation())
    place = left / f"traces.db{end}"
    place.unlink(missing_ok=True)
    put(place)
    before = state(place)
    told = run_all(capsys)
    assert "left alone" in told["list"][1]
    assert str(place) in told["list"][1].replace("\n", "")
    assert {words for words, (code, _) in told.items() if code == 0} == {"status", "status --json"}
    assert record(caplog).count("left alone") == 1
    assert len(list(waiting_lines(left))) == 11
    assert state(place) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_store_of_another_user_in_a_shared_home(home: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Not a byte of it changes, and nothing of ours comes to lie beside it."""
    store(home, conversation())
    os.chown(home / "traces.db", ANOTHER_USER, ANOTHER_USER)
    before = (home / "traces.db").read_bytes()
    told = run_all(capsys)
    assert f"belongs to another user (uid {ANOTHER_USER})" in told["list"][1]
    assert f"belongs to another user (uid {ANOTHER_USER})" in told["doctor"][1].replace("\n", " ").replace("  ", "")
    assert "left alone" in record(caplog)
    assert (home / "traces.db").read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == ["outbox", "traces.db"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("which", ["outbox", "outbox/*"])
def test_an_outbox_of_another_user(left: Path, which: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is read from it nor put there: what is recorded waits in memory, which is said once, and is stored."""
    (place,) = left.glob(which)
    os.chown(place, ANOTHER_USER, ANOTHER_USER)
    before = sorted(left.rglob("*"))
    assert inspect_outboxes(left) == []
    run_all(capsys)
    assert sorted(left.rglob("*")) == before
    assert record(caplog).count("wait in memory") == 1
    assert [summary.trace_id for summary in StoreReader(left).summaries()] == ["recorded"]


@each_kind
def test_in_the_outboxs_place(home: Path, put: Put, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """What is no folder of ours is not used: what is recorded waits in memory, and is stored."""
    if put.__name__ == "folder":
        pytest.skip("that is one")
    home.mkdir(mode=0o700)
    put(home / "outbox")
    before = state(home / "outbox")
    run_all(capsys)
    assert record(caplog).count("wait in memory") == 1
    assert [summary.trace_id for summary in StoreReader(home).summaries()] == ["recorded"]
    assert state(home / "outbox") == before
