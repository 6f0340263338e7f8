"""`whyops push`, `whyops deliver` and a running program send the same way: they make a new agent known alike, and choose the same route."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.conftest import close_all
from tests.server import StrictServer
from tests.server.client import KEY, Client
from whyops._cli._main import main
from whyops._cli._service import required_service

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs file locks")

TRACES = 4
EVENTS = 3 * TRACES


@pytest.fixture
def server() -> Iterator[StrictServer]:
    """Give a service with a queue."""
    with StrictServer(queue=True) as running:
        yield running
        close_all()


@pytest.fixture(autouse=True)
def _settings(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AGENT_NAME": "agent", "ANALYSE_BASE_URL": server.url, "PROXY_BASE_URL": server.proxy_url}.items():
        monkeypatch.setenv(f"WHYOPS_{name}", value)


def record(sdk: whyops.WhyOps) -> None:
    """Record traces, each with a system message of its own."""
    for number in range(TRACES):
        trace = sdk.trace(f"t{number}")
        trace.user_message_sync([{"role": "system", "content": f"You are number {number}."}, {"role": "user", "content": "Hello!"}])
        trace.llm_response_sync("m", "p", "Hello.")
        trace.error_sync("no")


def pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record without a key, and push."""
    with whyops.WhyOps() as sdk:
        record(sdk)
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    assert main(["push", *(f"t{number}" for number in range(TRACES)), "--timeout", "10"]) == 0


def delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record with a key."""
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    with whyops.WhyOps() as sdk:
        record(sdk)
        assert sdk.flush_sync(timeout=10).waiting == 0


def left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record with a key in a program that ends too early, and deliver."""
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    with whyops.WhyOps() as sdk:
        record(sdk)
        sdk.close_sync(timeout=0)
    assert main(["deliver", "--timeout", "10"]) == 0


Way = Callable[[pytest.MonkeyPatch], None]
WAYS = pytest.mark.parametrize("way", [pushed, delivered, left])


def asked(server: StrictServer) -> list[tuple[str, str]]:
    """Give what was asked, in order; several arrays in a row count as one."""
    routes = [(request.method, request.path.removeprefix("/api")) for request in server.requests]
    return [route for index, route in enumerate(routes) if index == 0 or routes[index - 1] != route]


@WAYS
@pytest.mark.parametrize("is_old", [False, True])
def test_an_unknown_agent(server: StrictServer, way: Way, monkeypatch: pytest.MonkeyPatch, *, is_old: bool) -> None:
    """It is looked for, made known with the placeholder, and its events go past the queue; into it only where there is no other way."""
    server.service.is_old = is_old
    way(monkeypatch)
    routes = [("GET", "/entities"), ("POST", "/entities/init"), ("POST", "/events"), ("POST", "/events/ingest")]
    assert asked(server) == routes[: 4 if is_old else 3]
    assert [json.loads(request.body)["metadata"] for request in server.inits] == [{"systemPrompt": "Not given.", "tools": []}]
    assert len(server.events) == EVENTS
    assert [request.status for request in server.ingested][0 if is_old else 1 :].count(404) == (1 if is_old else 0)
    assert server.service.dead_letters == []


@WAYS
def test_a_known_agent(server: StrictServer, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the description that it has."""
    client = Client(server)
    client.init("Be kind.")
    server.requests.clear()
    way(monkeypatch)
    assert asked(server) == [("GET", "/entities"), ("POST", "/events")]
    assert len(server.events) == EVENTS
    assert client.init("Be kind.")["status"] == "existing"


def test_a_push_while_the_database_of_a_queue_is_away(
    server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is said to be sent, nothing is dropped, and the next push sends it all, once."""
    with whyops.WhyOps() as sdk:
        record(sdk)
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    server.service.health.database = False
    capsys.readouterr()
    assert main(["push", "t0", "t1", "--timeout", "0.3"]) == 1
    assert capsys.readouterr().out == "0 events delivered, 6 not sent: run this again to continue.\n"
    assert server.service.agents.find(KEY, "agent") is None
    server.service.health.database = True
    assert main(["push", "t0", "t1", "t2", "t3"]) == 0
    assert sorted(event["traceId"] for event in server.events) == [f"t{number}" for number in range(TRACES) for _ in range(3)]
    assert server.service.dead_letters == []


def test_a_push_to_an_old_service(server: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """That its queue took the events is all that is said, and they are not sent again."""
    server.service.is_old = True
    with whyops.WhyOps() as sdk:
        record(sdk)
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    capsys.readouterr()
    assert main(["push", "t0", "t1", "t2", "t3"]) == 0
    assert capsys.readouterr().out == f"0 events delivered, {EVENTS} accepted by the service's queue.\n"
    assert main(["push", "t0", "t1", "t2", "t3"]) == 0
    assert capsys.readouterr().err == "Everything was sent before; --again sends it once more.\n"
    assert main(["status"]) == 0
    assert f"{EVENTS} accepted by the service's queue" in capsys.readouterr().out


@pytest.mark.parametrize("url,may_speak", [("", True), ("https://whyops.example.com/api", False)])
def test_the_hosted_proxy_hears_of_no_agent_of_another_service(
    home: Path, monkeypatch: pytest.MonkeyPatch, url: str, *, may_speak: bool
) -> None:
    """A key for a service of one's own goes there alone, from a command as from a program."""
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", url)
    monkeypatch.setenv("WHYOPS_PROXY_BASE_URL", "")
    service = required_service(home)
    assert bool(service.settings.proxy_of_service) is may_speak
    introduction: Any = service.sink("agent")._introduction
    assert introduction._proxy_url == service.settings.proxy_of_service
