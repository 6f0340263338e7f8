"""The commands that show, list, export and report: their words, their files, what they print."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run, conversation
from tests.server.server import StrictServer
from whyops._cli._main import main
from whyops._render.markdown import estimated_tokens


def run_of(trace_id: str, **fields: object) -> Run:
    run = Run(trace_id)
    run.user(f"I am {trace_id}")
    run.tool("search" if trace_id < "m" else "refund", {}, {"error": "no"} if trace_id.endswith("!") else 1, "s1")
    for event in run.events:
        event.update(fields)
    return run


@pytest.fixture
def several(home: Path) -> None:
    """Store five traces of several users, agents, tools and days."""
    acting = run_of("x")
    acting.events[0]["metadata"] = {"agent": "writer", "langgraph_node": "draft"}
    old = run_of("a-old", externalUserId="mia", timestamp="2020-01-01T10:00:00.000000Z")
    store(home, old, run_of("b-failed!", externalUserId="mia"), run_of("c", agentName="billing"), acting, run_of("y!"))


def ids(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()[1:]]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    "words, expected",
    [
        ([], ["y!", "x", "c", "b-failed!", "a-old"]),
        (["--errors"], ["y!", "b-failed!"]),
        (["--user", "mia"], ["b-failed!", "a-old"]),
        (["--agent", "billing"], ["c"]),
        (["--agent", "writer"], ["x"]),
        (["--node", "draft"], ["x"]),
        (["--node", "nowhere"], []),
        (["--tool", "refund"], ["y!", "x"]),
        (["--since", "2021-01-01"], ["y!", "x", "c", "b-failed!"]),
        (["--since", "2020-01-01T09:00Z", "--user", "mia", "--errors"], ["b-failed!"]),
        (["-n", "2"], ["y!", "x"]),
        (["-n", "2", "--page", "2"], ["c", "b-failed!"]),
        (["-n", "2", "-p", "3"], ["a-old"]),
        (["--tool", "nope"], []),
    ],
)
def test_the_list_is_filtered_and_paged(words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each filter narrows the list, several together more so, and pages go through it."""
    assert main(["list", *words]) == 0
    assert ids(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    "words", [["list", "--since", "soon"], ["show", "last", "--budget", "5"], ["prune", "--max-size", "big"], ["report"]]
)
def test_words_that_mean_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A word that can't be understood is a usage error that names it."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"usage: whyops {words[0]}")


def test_show_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` gives all events as they were recorded, and the steps that they make up."""
    store(home, conversation())
    assert main(["show", "last", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["events"] == conversation()
    assert data["steps"][2]["steps"][0]["tool"] == "search_orders"


def test_show_for_a_model(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--for-llm` gives Markdown within the budget."""
    store(home, conversation())
    assert main(["show", "last", "--for-llm", "--budget", "300"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Trace session-123\n")
    assert estimated_tokens(text) <= 300


def test_show_asks_the_service(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With a key, a trace that is not here is asked for; with `--local` nobody is."""
    events = run_of("far").events
    with StrictServer() as server:
        server.service.ingest("whyops_test", events)
        monkeypatch.setenv("WHYOPS_API_KEY", "whyops_test")
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
        assert main(["show", "far"]) == 0
        assert "I am far" in capsys.readouterr().out
        asked = len(server.requests)
        assert main(["show", "far", "--local"]) == 1
        assert len(server.requests) == asked
        capsys.readouterr()
        server.fail(200, body={"status": "ok", "message": "\x1b[31mhello"})
        assert main(["show", "far"]) == 1
        said = capsys.readouterr().err
        assert "is not the WhyOps service" in said
        assert "\x1b" not in said
        server.stop()
        assert main(["show", "far"]) == 1
        assert "can't be asked" in capsys.readouterr().err
        store(home, events)
        assert main(["show", "far"]) == 0
        assert "can't be asked" in capsys.readouterr().out.replace("\n", " ")


def test_export_is_lossless(home: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each line comes out as it went in, to the byte, on standard output and into a file that only its owner may read."""
    lines = [json.dumps(event, ensure_ascii=number % 2 == 0).encode() + b"\n" for number, event in enumerate(conversation())]
    lines.append(b'{"traceId":"session-123",  "content":"\xc3\xbc\xe6\x9d\xb1", "n": 12345678901234567890123}\n')
    from whyops._store.sink import SqliteSink  # noqa: PLC0415

    sink = SqliteSink(home)
    sink.send(lines)
    sink.close()
    assert main(["export", "last"]) == 0
    assert capfdbinary.readouterr().out == b"".join(lines)
    target = tmp_path / "out.jsonl"
    assert main(["export", "--since", "2020-01-01", "-o", str(target)]) == 0
    assert target.read_bytes() == b"".join(lines)
    if os.name != "nt":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.usefixtures("several")
def test_export_of_what_is_selected(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without ids the selected traces are written, the oldest first."""
    assert main(["export", "--user", "mia"]) == 0
    traces = [json.loads(line)["traceId"] for line in capfdbinary.readouterr().out.splitlines()]
    assert list(dict.fromkeys(traces)) == ["a-old", "b-failed!"]


def test_a_report_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The report is one file that only its owner may read, named after the trace if no name is given, whatever the trace is called."""
    evil = Run("../../etc/passwd \x1b")
    evil.user("Hi")
    store(home, conversation(), evil)
    monkeypatch.chdir(tmp_path)
    assert main(["report", "session-123"]) == 0
    assert capsys.readouterr().out == "whyops-session-123.html\n"
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "whyops-session-123.html").stat().st_mode) == 0o600
    assert main(["report", "../"]) == 0
    assert capsys.readouterr().out == "whyops-etc-passwd.html\n"
    assert main(["report", "session-123", "../", "session-123", "-o", "both.html"]) == 0
    text = (tmp_path / "both.html").read_text("utf-8")
    assert text.count('"startedAt"') == 2


def test_a_file_that_can_not_be_written(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that can't be written is one line, and leaves nothing behind."""
    store(home, conversation())
    assert main(["report", "last", "-o", str(tmp_path / "no" / "such.html")]) == 1
    assert "can't be written: No such file or directory" in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    assert main(["export", "last", "-o", str(tmp_path / "folder")]) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a browser that is a script")
def test_a_report_is_opened(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--open` hands the file to the browser that the machine names."""
    store(home, conversation())
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    assert main(["report", "last", "-o", str(tmp_path / "run.html"), "--open"]) == 0
    assert (tmp_path / "opened").read_text().strip() == (tmp_path / "run.html").as_uri()
