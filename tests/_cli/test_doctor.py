"""`whyops doctor`: each finding, and its remedy."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._http.endless import ENDLESS
from tests._render.recordings import Run, conversation
from tests.server import Limits, raw
from tests.server.client import Client, event
from tests.server.server import StrictServer
from whyops._cli._checks import home as home_checks
from whyops._cli._checks.home import check_home
from whyops._cli._checks.program import check_pairs, check_program
from whyops._cli._checks.service import check_service
from whyops._cli._checks.traces import check_traces
from whyops._cli._main import main
from whyops._config import settings as _settings
from whyops._render.terminal.doctor_table import Finding, render_findings
from whyops._service import questions as remote


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer(accounts={"whyops_test": "one"}) as server:
        yield server


def asked(server: StrictServer, now: float | None = None, **settings: object) -> dict[str, Finding]:
    """Give what is found of a service, by what it is about."""
    given = {"api_key": "whyops_test", "analyse_base_url": server.url, "proxy_base_url": server.proxy_url, "agent_name": "agent"}
    completed = _settings.given(**{**given, **settings}).completed()
    return {finding.what: finding for finding in check_service(completed, time.time() if now is None else now)}


def init(server: StrictServer, rate: float) -> None:
    server.service.init("one", {"agentName": "agent", "metadata": {"systemPrompt": "p", "tools": []}})
    for agent in server.service.agents.of("one"):
        agent.sampling_rate = rate


def test_all_is_well(server: StrictServer) -> None:
    """A good key, both addresses, a right clock and an agent of which all is kept are told as good, and nothing is changed by asking."""
    init(server, 1.0)
    assert {what: finding.level for what, finding in asked(server).items()} == dict.fromkeys(
        ("events", "database", "key", "clock", "sampling", "agents", "limits", "proxy"), "good"
    )
    assert server.events == []
    assert all(request.method == "GET" for request in server.requests)


def test_a_refused_key(server: StrictServer) -> None:
    """A key that the service refuses is bad, with what that may mean; nothing else is asked with it."""
    found = asked(server, api_key="whyops_revoked")
    assert (found["events"].level, found["key"].level) == ("good", "bad")
    assert "revoked" in found["key"].remedy
    assert "sampling" not in found
    assert asked(server, api_key="sk-other")["key"].level == "bad"


def test_no_key(server: StrictServer) -> None:
    """Without a key nobody is asked."""
    (finding,) = check_service(_settings.given().completed(), time.time())
    assert (finding.level, finding.what) == ("note", "key")
    assert server.requests == []


def test_wrong_addresses(server: StrictServer) -> None:
    """An address without its /api, with a /v1 too many, or where nobody listens, is told with the setting that is wrong."""
    found = asked(server, analyse_base_url=server.origin, proxy_base_url=server.origin + "/v1")
    assert found["events"].level == "bad"
    assert "/api" in found["events"].remedy
    assert found["proxy"].level == "bad"
    assert "Leave /v1 out" in found["proxy"].remedy
    found = asked(server, proxy_base_url=server.url)
    assert (found["proxy"].level, found["proxy"].result) == ("warn", f"{server.url} is no WhyOps proxy: 'whyops-analyse' answers there")
    server.stop()
    found = asked(server)
    assert (found["events"].level, found["proxy"].level) == ("bad", "warn")
    assert "WHYOPS_ANALYSE_BASE_URL" in found["events"].remedy


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"events": {}}, {"events": None}, [], None, "events", {"error": "\x1b[31m"}])
@pytest.mark.parametrize("status", [200, 201, 302])
def test_what_answers_is_not_the_service(server: StrictServer, body: object, status: int) -> None:
    """Whatever it says, it is not taken for the service, nor for the proxy, and the key is not called good."""
    server.pour(raw(status, json.dumps(body).encode()), times=None)
    found = asked(server)
    assert (found["events"].level, found["proxy"].level) == ("bad", "warn")
    assert "is not a WhyOps service" in found["events"].result
    assert found["events"].result.isprintable()
    assert not {"key", "sampling"} & found.keys()


def test_what_drips(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check-up ends, whatever answers."""
    monkeypatch.setattr(remote, "TIMEOUT_SECONDS", 0.2)
    server.pour(*ENDLESS["a header"], pause=0.05, times=None)
    found = asked(server)
    assert (found["events"].level, found["proxy"].level) == ("bad", "warn")
    assert "no answer in time" in found["events"].result


@pytest.mark.parametrize("seconds, word", [(3600, "ahead of"), (-3600, "behind")])
def test_a_wrong_clock(server: StrictServer, seconds: float, word: str) -> None:
    """A clock that is an hour off is told, with the direction."""
    finding = asked(server, time.time() + seconds)["clock"]
    assert finding.level == "warn"
    assert word in finding.result
    assert "set the clock" in finding.remedy


def test_the_share_that_is_kept(server: StrictServer) -> None:
    """The agent's sampling rate is looked up at the service, and told with how to change it; an agent that isn't there is said to be so."""
    init(server, 0.2)
    finding = asked(server)["sampling"]
    assert (finding.level, finding.result) == ("warn", "the service keeps 20% of the traces of agent, and drops the others")
    assert "`whyops sampling 100%`" in finding.remedy
    assert "has no agent 'nobody'" in asked(server, agent_name="nobody")["sampling"].result
    assert asked(server, agent_name=None)["sampling"].level == "note"
    assert not [request for request in server.requests if request.path.endswith("/sampling-rate")]


def test_an_agent_on_a_later_page() -> None:
    """All pages of the list of agents are looked through."""
    with StrictServer(accounts={"whyops_test": "one"}, limits=Limits(agents=None)) as server:
        for number in range(101):
            server.service.init("one", {"agentName": f"a{number}", "metadata": {"systemPrompt": "p", "tools": []}})
        init(server, 0.125)
        found = asked(server)
        assert "keeps 12.5% of" in found["sampling"].result
        assert found["agents"].result == "the account has 102 of at most 1,000,000"


def test_an_account_that_is_full(server: StrictServer) -> None:
    """Where the account has all the agents it may have, one more can't be: that is told of one that is not among them."""
    init(server, 1.0)
    assert asked(server, agent_name="other")["agents"].level == "good"
    server.service.init("one", {"agentName": "second", "metadata": {"systemPrompt": "p", "tools": []}})
    assert (asked(server)["agents"].level, asked(server)["agents"].result) == ("good", "the account has 2 of at most 2")
    finding = asked(server, agent_name="other")["agents"]
    assert (finding.level, finding.result) == ("warn", "the account has 2 of at most 2, and none is named 'other'")
    assert asked(server, agent_name=None)["agents"].level == "note"
    server.fail(404, times=None, path="/api/agent-settings/limits")
    assert "agents" not in asked(server)
    server.clear()
    server.cut(times=None, path="/api/agent-settings/limits")
    assert "agents" not in asked(server)


def test_an_agents_limits() -> None:
    """An agent's traces are told against its limit, and of spans the limit alone, which is all that the service tells."""
    with StrictServer(accounts={"whyops_test": "one"}, limits=Limits(traces=2)) as server:
        init(server, 1.0)
        connected = Client(server)
        for number, level in ((1, "good"), (2, "warn")):
            connected.send(event(traceId=f"t{number}"))
            finding = asked(server)["limits"]
            assert finding.level == level
            assert finding.result == f"agent: {number} of at most 2 traces, at most 1,000 different span ids in all"
        connected.close()


def told_by(server: StrictServer, path: str, body: object) -> dict[str, Finding]:
    """Give what is found where a path answers so."""
    server.pour(raw(200, json.dumps(body).encode()), times=None, path=path)
    return asked(server)


def test_a_list_of_agents_that_tells_little(server: StrictServer) -> None:
    """What an older service does not tell is not made up."""
    found = told_by(server, "/api/entities", {"agents": [{"id": "1", "name": "agent"}]})
    assert (found["sampling"].level, found["agents"].result, "limits" in found) == ("note", "the account has 1 of at most 2", False)


def test_a_list_of_agents_that_can_not_be_had(server: StrictServer) -> None:
    """It is told, and nothing else of the agents."""
    server.cut(times=None, path="/api/entities")
    for name in ("agent", None):
        found = asked(server, agent_name=name)
        assert found["sampling"].level == "note"
        assert "could not look up the sampling rate" in found["sampling"].result
        assert "agents" not in found


def test_without_its_database(server: StrictServer) -> None:
    """A key that is refused because the service can't look it up is not called bad."""
    server.service.health.database = False
    found = asked(server)
    assert (found["database"].level, found["key"].level) == ("bad", "note")
    assert "can't be looked up" in found["key"].result
    assert "sampling" not in found


@pytest.mark.parametrize(
    "health, level, told",
    [
        ({"status": "healthy", "service": "whyops-proxy"}, "good", "as whyops-proxy"),
        ({"status": "healthy", "service": "other\x1b[31m"}, "warn", "'other\\\\x1b[31m' answers there"),
        ({"status": "healthy"}, "note", "does not say that it is"),
        ({"status": "ok"}, "warn", "is not a WhyOps proxy (it answered 200"),
    ],
)
def test_what_answers_in_the_proxys_place(server: StrictServer, health: dict[str, str], level: str, told: str) -> None:
    """The proxy is known by its name; any other name is told."""
    finding = told_by(server, "/health", health)["proxy"]
    assert finding.level == level
    assert told in finding.result


@pytest.mark.parametrize("health, level", [({"database": "slow"}, "note"), ({"database": 5}, None), ({}, None)])
def test_what_the_service_says_of_its_database(server: StrictServer, health: dict[str, object], level: str | None) -> None:
    """A state that is not known is told as it is, and nothing is said where the service says nothing."""
    finding = told_by(server, "/api/health", health).get("database")
    assert (finding and finding.level) == level


def test_a_home_that_is_well(home: Path) -> None:
    """A home is looked at without being made; what is in it is told."""
    assert {finding.level for finding in check_home(home)} == {"good"}
    assert not home.exists()
    store(home, conversation())
    assert "1 trace, " in next(finding.result for finding in check_home(home) if finding.what == "store")


@pytest.mark.skipif(sys.platform == "win32", reason="needs modes")
def test_a_home_that_others_may_read(home: Path) -> None:
    """Where others may open the folder, the command that mends it is told."""
    store(home, conversation())
    home.chmod(0o755)
    finding = next(finding for finding in check_home(home) if finding.what == "privacy")
    assert (finding.level, finding.remedy) == ("warn", f"It contains prompts: chmod go-rwx {home}")


def test_a_system_without_owners(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of who may read the home where that can't be told."""
    store(home, conversation())
    home.chmod(0o755)
    monkeypatch.setattr(home_checks, "HAS_OWNERS", False)
    assert "privacy" not in {finding.what for finding in check_home(home)}


def test_a_home_that_can_not_be(tmp_path: Path) -> None:
    """A home below a file can't be: events would wait in memory."""
    (tmp_path / "file").write_text("")
    (finding,) = check_home(tmp_path / "file" / "home")
    assert (finding.level, finding.what) == ("bad", "home")


def test_a_damaged_store(home: Path) -> None:
    """A store that can't be read is bad, and its own message says what to do."""
    home.mkdir(mode=0o700)
    (home / "traces.db").write_bytes(b"no store at all " * 500)
    (home / "traces.db").chmod(0o600)
    assert [finding.what for finding in check_home(home) if finding.level == "bad"] == ["store"]
    assert list(check_traces(home)) == []


def test_what_else_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions are told; so is what switches recording off, traces elsewhere, or leaves token counts out of streams."""
    assert [finding.what for finding in check_program() if finding.level == "good"] == ["versions"]
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost")
    found = {finding.what: finding for finding in check_program()}
    assert found["switch"].level == "bad"
    assert "LangSmith is turned on" in found["others"].result
    assert "stream_usage=True" in found["streaming"].remedy


def twice_by_models(run: Run) -> None:
    run.model("The same answer.", ms=1, usage={"totalTokens": 1})
    run.model("The same answer.", ms=1, usage={"totalTokens": 1})


def twice_by_a_handler_and_the_proxy(run: Run) -> None:
    run.user("Hi")
    run.user("Hi")
    run.add("llm_thinking", {"thinking": "?"})
    run.model("The same answer.", ms=1, usage={"totalTokens": 1})
    run.add("llm_thinking", {"thinking": "?"})
    run.model("The same answer.", ms=1, usage={"totalTokens": 1})


def two_turns(run: Run) -> None:
    for number in range(2):
        run.user("Where is order 123?")
        run.tool("f", {"x": 1}, 2, f"s{number}")
        run.model("It has shipped.", ms=1, usage={"totalTokens": 1})


def two_questions(run: Run) -> None:
    for _ in range(2):
        run.user("Where is order 123?")
        run.model("It has shipped.", ms=1, usage={"totalTokens": 1})


def twice_by_tools(run: Run) -> None:
    run.tool("f", {"x": 1}, 2, "s1", lambda: run.tool("f", {"x": 1}, 2, "s2", parent="s1"))


HERE, THERE = "37f138d811215191", "5c0994e3e85d6963"


def twice_in_one_process(run: Run) -> None:
    run.tool("f", {"x": 1}, 2, f"{HERE}-1", lambda: run.tool("f", {"x": 1}, 2, f"{HERE}-2", parent=f"{HERE}-1"))


def at_both_ends(run: Run) -> None:
    run.tool("f", {"x": 1}, 2, f"{HERE}-1", lambda: run.tool("f", {"x": 1}, 2, f"{THERE}-2", parent=f"{HERE}-1"))


def once(run: Run) -> None:
    run.model("The same answer.", ms=1, usage={"totalTokens": 1})
    run.model("The same answer.", ms=900, usage={"totalTokens": 1})
    run.tool("f", {"x": 1}, 2, "s1", lambda: run.tool("f", {"x": 0}, 2, "s2", parent="s1"))


@pytest.mark.parametrize(
    "record, doubled",
    [
        (twice_by_models, True),
        (twice_by_a_handler_and_the_proxy, True),
        (twice_by_tools, True),
        (twice_in_one_process, True),
        (at_both_ends, False),
        (once, False),
        (two_turns, False),
        (two_questions, False),
    ],
)
def test_calls_that_were_recorded_twice(home: Path, record: Callable[[Run], None], *, doubled: bool) -> None:
    """The same answer twice at once, or a tool in a call of itself with the same arguments, is one call that was recorded in two ways.

    Two turns with the same answer are no doubles, nor is a tool of an MCP server that caller and server recorded, each in its process.
    """
    run = Run()
    record(run)
    store(home, run)
    assert [finding.what for finding in check_traces(home)] == (["doubles"] if doubled else ["traces"])


def test_answers_without_token_counts(home: Path) -> None:
    """Answers without token counts are told, with how to have streams tell them."""
    run = Run()
    run.model("one")
    store(home, run)
    (finding,) = check_traces(home)
    assert (finding.level, finding.result) == ("warn", "no token counts in 1 of the latest 1 model answer")
    assert "include_usage" in finding.remedy


def test_the_command(home: Path, server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one paragraph for each finding, never the key, and fails if something is broken."""
    assert main(["doctor"]) == 0
    assert "not set: runs are recorded in the local store" in capsys.readouterr().out
    monkeypatch.setenv("WHYOPS_API_KEY", "whyops_secret_key")
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
    monkeypatch.setenv("WHYOPS_PROXY_BASE_URL", server.proxy_url)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "rejected by the service (401)" in out
    assert "secret" not in out
    assert not home.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs file locks")
def test_what_was_left_behind(home: Path) -> None:
    """Events that wait without a process to send them are told, with the command that sends them."""
    from tests._cli.test_status_and_deliver import keyed, leave  # noqa: PLC0415

    with StrictServer() as server:
        server.stop()
        leave(home, **keyed(server.url))
    finding = next(finding for finding in check_home(home) if finding.what == "delivery")
    assert finding.result == "10 events wait without a running process to send them"
    assert "whyops deliver" in finding.remedy


def test_the_text() -> None:
    """Findings line up, whatever they hold and whatever the terminal can say."""
    findings = [Finding("good", "a", "well"), Finding("bad", "longer", "\x1b[2J " + "broken " * 20, "Mend it.")]
    assert render_findings(findings, width=50, color=False).splitlines()[:2] == [
        "✓ a       well",
        "✗ longer  \\x1b[2J broken broken broken broken",
    ]
    plain = render_findings(findings, width=50, color=False, encoding="ascii")
    assert plain.isascii()
    assert plain.startswith("ok a")
    assert "\x1b[1;31m" in render_findings(findings, width=50, color=True)


@pytest.mark.parametrize(
    "pydantic, llama_index, is_told",
    [
        ("2.14.0", "0.14.25", True),
        ("2.14.4b1", "0.14.22", True),
        ("3.0", "0.14.22.post1", True),
        ("2.13.5", "0.14.25", False),
        ("2.14.4", "0.14.26", False),
        ("2.14.4", "0.15", False),
        ("2.14.4", None, False),
    ],
)
def test_packages_that_do_not_go_together(pydantic: str, llama_index: str | None, *, is_told: bool) -> None:
    """A pydantic from 2.14 on with a LlamaIndex that is not made for it is told, with both versions and the remedy; no other pair is."""
    installed = {"pydantic": pydantic} | ({} if llama_index is None else {"llama-index-core": llama_index})
    found = list(check_pairs(installed))
    assert bool(found) == is_told
    assert all(f"pydantic {pydantic}" in finding.result and "pydantic<2.14" in finding.remedy for finding in found)
