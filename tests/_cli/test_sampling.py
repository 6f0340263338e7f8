"""`whyops sampling`: the share of an agent's traces that the service keeps."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest

from tests.server import StrictServer, raw
from tests.server.client import KEY, Client
from whyops._cli._main import main


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictServer]:
    with StrictServer() as running:
        for agent in ("agent", "other"):
            client = Client(running)
            client.init(agent=agent)
            client.close()
        monkeypatch.setenv("WHYOPS_API_KEY", KEY)
        monkeypatch.setenv("WHYOPS_AGENT_NAME", "agent")
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", running.url)
        yield running


def rates(server: StrictServer) -> list[float]:
    return [agent.sampling_rate for agent in server.service.agents.of(KEY)]


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_reading(server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a share it is told, of the environment's agent or the one named, and nothing is changed."""
    server.service.agents.of(KEY)[1].sampling_rate = 0.125
    for words, told in (([], "100% of the traces of agent"), (["--agent", "other"], "12.5% of the traces of other")):
        assert main(["sampling", *words]) == 0
        assert capsys.readouterr() == (f"The service keeps {told}.\n", "")
    assert rates(server) == [1.0, 0.125]


def test_a_script(server: StrictServer, capsys: pytest.CaptureFixture[str]) -> None:
    """`--yes` sets it without asking; setting what is set does nothing."""
    assert main(["sampling", "25%", "--agent", "other", "--yes"]) == 0
    assert capsys.readouterr().out == "The service now keeps 25% of the new traces of other.\n"
    assert rates(server) == [1.0, 0.25]
    assert main(["sampling", "0.25", "--agent", "other"]) == 0
    assert "Nothing is to be changed" in capsys.readouterr().out
    assert len([request for request in server.requests if request.method == "PATCH"]) == 1


@pytest.mark.parametrize("typed, code, rate", [("y\n", 0, 0.5), ("YES\n", 0, 0.5), ("n\n", 1, 1.0), ("\n", 1, 1.0), ("", 1, 1.0)])
def test_asking(
    server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, code: int, rate: float
) -> None:
    """A person is asked first, with what is and what will be; anything but a yes changes nothing."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert main(["sampling", "0.5"]) == code
    out, err = capsys.readouterr()
    assert err.startswith("The service keeps 100% of the traces of agent. Keep 50% of its new traces? [y/N] ")
    assert ("now keeps 50%" in out) == (code == 0)
    assert ("Nothing was changed." in err) == (code == 1)
    assert rates(server)[0] == rate


def test_nobody_to_ask(server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without `--yes` nothing is changed, and the reason is said."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["sampling", "0.5"]) == 2
    assert capsys.readouterr() == ("", "whyops: There is no terminal to ask whether the share is to be changed: pass --yes.\n")
    assert rates(server) == [1.0, 1.0]


def failing(server: StrictServer, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["sampling", *words]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert rates(server) == [1.0, 1.0]
    return err


def test_errors(server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line: an agent that is not there, a route that is not there, an answer that is none, a database that is away, no key."""
    assert "has no agent 'nobody'" in failing(server, ["--agent", "nobody"], capsys)
    agent_id = server.service.agents.of(KEY)[0].id
    server.fail(404, path=f"/api/entities/{agent_id}/sampling-rate")
    assert "has no answer to this (404" in failing(server, ["0.5", "--yes"], capsys)
    server.pour(raw(200, json.dumps({"success": True}).encode()), path=f"/api/entities/{agent_id}/sampling-rate")
    assert "has no answer to this (200" in failing(server, ["0.5", "--yes"], capsys)
    server.pour(raw(200, json.dumps({"agents": [{"id": "1", "name": "agent"}]}).encode()), path="/api/entities")
    assert main(["sampling"]) == 0
    assert "does not tell" in capsys.readouterr().out
    server.service.health.database = False
    assert "can't reach its database" in failing(server, [], capsys)
    server.service.health.database = True
    monkeypatch.delenv("WHYOPS_AGENT_NAME")
    assert "Pass --agent NAME" in failing(server, [], capsys)
    monkeypatch.delenv("WHYOPS_API_KEY")
    assert "set WHYOPS_API_KEY" in failing(server, [], capsys)


def test_a_share_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no share is a mistake in the words."""
    with pytest.raises(SystemExit) as stopped:
        main(["sampling", "20"])
    assert stopped.value.code == 2
    assert "is not a share from 0 to 1, or from 0% to 100%" in capsys.readouterr().err


def test_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Percents in the help are no formats."""
    with pytest.raises(SystemExit):
        main(["sampling", "--help"])
    out = capsys.readouterr().out
    assert "0.5 or 50%" in out
    assert "whyops sampling 100% --agent" in out
