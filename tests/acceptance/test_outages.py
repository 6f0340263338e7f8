"""The service goes away in the middle of everything: all arrives once in the end, and what is told meanwhile is true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import whyops
from tests._delivery.parts import QUICK
from tests.conftest import close_all
from tests.server import StrictServer
from tests.server.client import KEY, Client
from whyops import _assembly
from whyops._cli._main import main
from whyops._service.introduction import ATTEMPTS

DESCRIBED = {"systemPrompt": "Be kind."}


@pytest.fixture
def queue() -> Iterator[StrictServer]:
    """Give a service with a queue."""
    with StrictServer(queue=True) as running:
        yield running
        close_all()


@pytest.fixture
def proxy(server: StrictServer) -> Iterator[StrictServer]:
    """Give a proxy that stays when its service goes, whose agents and events are the same."""
    with StrictServer() as running:
        running.service = server.service
        yield running


def client_of(server: StrictServer, proxy_url: str | None = None, metadata: dict[str, Any] | None = DESCRIBED) -> whyops.WhyOps:
    """Make a client of a service, with the file outbox that it has by itself."""
    return whyops.WhyOps(KEY, "agent", metadata, proxy_url or server.proxy_url, server.url)  # type: ignore[arg-type]  # as JSON would be


def record(sdk: whyops.WhyOps, count: int, trace: str) -> None:
    """Record so many events of a trace, after a system message of its own."""
    open_trace = sdk.trace(trace)
    open_trace.user_message_sync([{"role": "system", "content": f"You are in {trace}."}, {"role": "user", "content": "Hello!"}])
    for number in range(count - 1):
        open_trace.error_sync(f"no {number}")


def status(monkeypatch: pytest.MonkeyPatch, server: StrictServer, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """Give what `whyops status` says of the one destination, as text on one line and as JSON."""
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
    capsys.readouterr()
    assert main(["status"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert main(["status", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    return text, told


def check_stored_once(server: StrictServer, count: int) -> None:
    """Each of so many events is stored, once, and none was refused for good."""
    keys = [event["idempotencyKey"] for event in server.events]
    assert len(keys) == len(set(keys)) == count
    assert {request.status for request in server.ingested} <= {201, 401, 500, 503, None}


def test_the_database_of_a_queue_goes_away_in_a_stream_of_events(
    queue: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is dead-lettered; what waits is said to wait, not to be delivered; the cause is named, and no key is blamed."""
    with client_of(queue) as sdk:
        record(sdk, 100, "before")
        assert sdk.flush_sync(timeout=10).delivered == 100
        queue.service.health.database = False
        record(sdk, 100, "away")
        queue.wait_until(lambda: queue.ingested[-1].status == 401)
        record(sdk, 100, "away too")
        told = sdk.flush_sync(timeout=0.2)
        assert (told.delivered, told.waiting, told.accepted, told.rejected) == (100, 200, 0, 0)
        text, numbers = status(monkeypatch, queue, capsys)
        assert "300 recorded 100 delivered 200 waiting" in text
        assert (numbers["delivered"], numbers["waiting"], numbers["accepted"]) == (100, 200, 0)
        queue.service.health.database = True
        record(sdk, 100, "after")
        told = sdk.flush_sync(timeout=10)
        assert (told.delivered, told.waiting, told.accepted, told.rejected) == (400, 0, 0, 0)
    text, numbers = status(monkeypatch, queue, capsys)
    assert "400 recorded 400 delivered 0 waiting" in text
    assert (numbers["delivered"], numbers["waiting"], numbers["accepted"]) == (400, 0, 0)
    check_stored_once(queue, 400)
    assert queue.service.dead_letters == []
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1
    assert "can't reach its database" in said[0]
    assert "API_KEY" not in said[0]


def test_what_an_old_service_takes_into_its_queue_is_not_said_to_be_delivered(
    queue: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It answers 202 and nothing more, and while its database is away it drops what it has accepted: so accepted is all that is said."""
    queue.service.is_old = True
    with client_of(queue) as sdk:
        record(sdk, 30, "before")
        told = sdk.flush_sync(timeout=10)
        assert (told.delivered, told.accepted, told.waiting) == (0, 30, 0)
        queue.service.health.database = False
        record(sdk, 12, "away")
        told = sdk.flush_sync(timeout=10)
        assert (told.delivered, told.accepted, told.waiting) == (0, 42, 0)
    assert (len(queue.events), len(queue.service.dead_letters)) == (30, 12)
    text, numbers = status(monkeypatch, queue, capsys)
    assert "42 recorded 0 delivered 42 accepted by the service's queue 0 waiting" in text
    assert (numbers["recorded"], numbers["delivered"], numbers["accepted"], numbers["waiting"]) == (42, 0, 42, 0)


def test_a_service_becomes_a_new_one(queue: StrictServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What its queue took and what it stored are counted apart, and the next process finds the new way."""
    queue.service.is_old = True
    with client_of(queue) as sdk:
        record(sdk, 5, "old")
        assert sdk.flush_sync(timeout=10).accepted == 5
    queue.service.is_old = False
    with client_of(queue) as sdk:
        record(sdk, 7, "new")
        told = sdk.flush_sync(timeout=10)
        assert (told.delivered, told.waiting) == (7, 0)
    text, numbers = status(monkeypatch, queue, capsys)
    assert "12 recorded 7 delivered 5 accepted by the service's queue" in text
    assert (numbers["delivered"], numbers["accepted"]) == (7, 5)
    keys = [event["idempotencyKey"] for event in queue.events]
    assert len(keys) == len(set(keys)) == 12


@pytest.mark.parametrize("metadata", [DESCRIBED, None])
def test_the_service_is_away_while_an_agent_begins(
    server: StrictServer, proxy: StrictServer, metadata: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy, which can't reach it either, answers 500: no refusal. The agent has one version in the end, and no trace is refused."""
    monkeypatch.setattr(_assembly, "PACE", QUICK)
    server.stop()
    proxy.service.health.proxy_link = False
    with client_of(server, proxy.proxy_url, metadata) as sdk:
        for number in range(6):
            record(sdk, 4, f"t{number}")
            told = sdk.flush_sync(timeout=0.05)
            assert (told.delivered, told.waiting) == (0, 4 * (number + 1))
        if metadata:
            proxy.wait_until(lambda: len(proxy.inits) > ATTEMPTS + 1)
            assert {request.status for request in proxy.inits} == {500}
        proxy.service.health.proxy_link = True
        server.start()
        assert sdk.flush_sync(timeout=10).delivered == 24
        for number in range(6):
            sdk.trace(f"t{number}").error_sync("at last")
        assert sdk.flush_sync(timeout=10).delivered == 30
    check_stored_once(server, 30)
    agent = server.service.agents.find(KEY, "agent")
    assert agent is not None
    assert len(agent.versions) == 1
    assert Client(server).init("Be kind." if metadata else "Not given.")["status"] == "existing"


def test_the_proxy_describes_the_agent_while_the_service_is_away(server: StrictServer, proxy: StrictServer) -> None:
    """If it reaches what the service does not, that counts; the events wait for the service, and are of the version that is described."""
    server.stop()
    with client_of(server, proxy.proxy_url) as sdk:
        record(sdk, 4, "t")
        assert sdk.flush_sync(timeout=0.2).waiting == 4
        assert [request.status for request in proxy.inits] == [201]
        server.start()
        assert sdk.flush_sync(timeout=10).delivered == 4
    check_stored_once(server, 4)
    assert len(server.inits) == 0


def test_the_service_is_killed_and_comes_back(server: StrictServer, proxy: StrictServer) -> None:
    """Again and again, with a process that ends and one that begins in between: all stored once, nothing refused, one version."""
    proxy.service.health.proxy_link = False
    for process in range(2):
        with client_of(server, proxy.proxy_url) as sdk:
            for _ in range(3):
                record(sdk, 10, f"t{process}")
                server.stop()
                record(sdk, 10, f"t{process}")
                sdk.flush_sync(timeout=0.05)
                server.start()
            assert sdk.flush_sync(timeout=10).waiting == 0
    check_stored_once(server, 120)
    agent = server.service.agents.find(KEY, "agent")
    assert agent is not None
    assert len(agent.versions) == 1


def test_a_process_dies_while_the_service_is_away(server: StrictServer, proxy: StrictServer) -> None:
    """What it leaves is sent by one that describes nothing: its agent is made known then, and one that describes it goes on."""
    proxy.service.health.proxy_link = False
    server.stop()
    left = client_of(server, proxy.proxy_url, None)
    record(left, 6, "left")
    left.close_sync(timeout=0.05)
    server.start()
    with client_of(server, proxy.proxy_url) as sdk:
        record(sdk, 4, "own")
        assert sdk.flush_sync(timeout=10).waiting == 0
    check_stored_once(server, 10)
    assert Client(server).init("Be kind.")["status"] == "existing"
