"""`whyops list --remote`: the service's traces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import conversation
from tests.server import StrictServer, raw
from tests.server.client import KEY, Client, event
from whyops._cli._main import main


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictServer]:
    with StrictServer() as running:
        monkeypatch.setenv("WHYOPS_API_KEY", KEY)
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", running.url)
        yield running


@pytest.fixture
def client(server: StrictServer) -> Iterator[Client]:
    connected = Client(server)
    yield connected
    connected.close()


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    """Give the lines of a list, each as its words, without the head."""
    assert main(["list", "--remote", *words]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]


def test_what_is_known(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is that of the local list; what the service does not tell is left empty."""
    client.send(
        event(traceId="a", timestamp="2026-01-01T00:00:00Z", externalUserId="ada"), event(traceId="a", timestamp="2026-01-01T00:00:02.5Z")
    )
    client.send(event(traceId="b", timestamp="2026-02-01T00:00:00Z", agentName="second"))
    assert main(["list", "--remote"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["TRACE", "WHEN", "AGENT", "USER", "EVENTS", "TOOLS", "ERR", "TOKENS", "TOOK", "ASKED"]
    assert [line.split()[:1] + line.split()[3:] for line in lines] == [["b", "second", "1"], ["a", "agent", "ada", "2", "2.50", "s"]]


@pytest.mark.parametrize(
    "words, found",
    [
        ([], ["b", "a"]),
        (["--user", "ada"], ["a"]),
        (["--agent", "second"], ["b"]),
        (["--since", "2026-01-15"], ["b"]),
        (["--until", "2026-01-15"], ["a"]),
        (["--since", "2026-01-15", "--until", "2026-01-16"], []),
    ],
)
def test_the_service_selects(client: Client, capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]) -> None:
    """Agent, user and dates are asked for; none at all is no error."""
    client.send(event(traceId="a", timestamp="2026-01-01T00:00:00Z", externalUserId="ada"))
    client.send(event(traceId="b", timestamp="2026-02-01T00:00:00Z", agentName="second"))
    assert [line[0] for line in listed(capsys, *words)] == found
    capsys.readouterr()


def test_pages(client: Client, server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The service is asked for no more of its pages of a hundred than are needed."""
    client.send(*(event(traceId=f"t{n:03}", timestamp=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z") for n in range(230)))
    newest = [f"t{n:03}" for n in reversed(range(230))]

    def pages() -> int:
        return sum(request.path == "/api/threads" for request in server.requests)

    assert [line[0] for line in listed(capsys)] == newest[:20]
    assert pages() == 1
    assert [line[0] for line in listed(capsys, "-n", "70", "-p", "2")] == newest[70:140]
    assert pages() == 3
    assert [line[0] for line in listed(capsys, "-n", "100", "-p", "3")] == newest[200:]
    assert pages() == 4
    assert [line[0] for line in listed(capsys, "--all")] == newest


def test_a_list_that_tells_little(server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What a service leaves out is left empty."""
    server.pour(raw(200, json.dumps({"threads": [{"threadId": "t", "lastActivity": "2026-01-01T00:00:00.000Z"}]}).encode()))
    ((trace, *_, events),) = listed(capsys)
    assert (trace, events) == ("t", "0")


def test_what_can_not_be_asked(server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is wrong: a selection that the service does not know, its database, the key."""
    said = []
    for words in (["--errors"], ["--tool", "f"], ["--node", "n"]):
        assert main(["list", "--remote", *words]) == 1
        said.append(capsys.readouterr().err)
    server.service.health.database = False
    assert main(["list", "--remote"]) == 1
    said.append(capsys.readouterr().err)
    monkeypatch.delenv("WHYOPS_API_KEY")
    assert main(["list", "--remote"]) == 1
    said.append(capsys.readouterr().err)
    assert all(line.startswith("whyops: ") and line.count("\n") == 1 for line in said)
    assert "--errors, --tool or --node" in said[0] == said[1] == said[2]
    assert "can't reach its database" in said[3]
    assert "set WHYOPS_API_KEY" in said[4]


def test_nothing_there(server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is said beside the output."""
    assert main(["list", "--remote"]) == 0
    assert capsys.readouterr() == ("", "No trace is at the service.\n")


def test_export(client: Client, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A trace that only the service has is exported by its id, with agent and user; `--local` leaves it out."""
    client.send(event(traceId="far", externalUserId="ada", idempotencyKey="k"))
    assert main(["export", "far"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert {name: told[name] for name in ("traceId", "agentName", "externalUserId", "idempotencyKey", "content")} == {
        "traceId": "far",
        "agentName": "agent",
        "externalUserId": "ada",
        "idempotencyKey": "k",
        "content": {"message": "no"},
    }
    assert main(["export", "far", "--local"]) == 1
    assert main(["export", "far", "-o", str(tmp_path / "out.jsonl")]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_bytes()) == told


def test_where_runs_go(home: Path, server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With a key, the local list says where runs go and how to list those; it asks nobody."""
    store(home, conversation())
    assert main(["list", "--until", "2100-01-01"]) == 0
    out, err = capsys.readouterr()
    assert "session-123" in out
    assert err.count("\n") == 1
    assert server.url in err
    assert "`whyops list --remote`" in err
    assert main(["list", "--until", "2020-01-01"]) == 0
    assert capsys.readouterr().out == ""
    assert server.requests == []
