"""Each row of the outcome table, from a recorded line to the service's store: all other events arrive, in order and once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests._delivery.parts import HERE, QUICK, delivery, http_sink, line
from tests.server import Limits, StrictServer
from tests.server.agents import Agents
from whyops._delivery.delivery import Delivery
from whyops._delivery.pace import Pace
from whyops._outbox.batch import BatchSize
from whyops.types import FlushResult

OUTAGE = Pace(backoff=0.1)
"""Waits that double without end, as in earnest, and begin sooner."""
COUNT = 60
TRACES = 3


@pytest.fixture
def server():
    with StrictServer() as running:
        yield running


@pytest.fixture(params=["file", "memory"])
def home(request, tmp_path):
    return tmp_path / "home" if request.param == "file" else None


def to(server: StrictServer, home: Path | None, pace: Pace = QUICK, **options: object) -> Delivery:
    return delivery(lambda: http_sink(server, **options), home, pace=pace)


def record(subject: Delivery, *others: bytes) -> None:
    """Record events of several traces, the given ones in their midst."""
    for index in range(COUNT):
        if index == COUNT // 2:
            for text in others:
                subject.record(text)
        subject.record(line(index, f"trace {index % TRACES}"))


def check(server: StrictServer, also: int = 0) -> None:
    """Each good event is there once, each trace in order."""
    arrived = [str(event["idempotencyKey"]) for event in server.events]
    good = [key for key in arrived if key.isdigit()]
    assert sorted(good, key=int) == [str(index) for index in range(COUNT)]
    assert len(arrived) == len(set(arrived)) == COUNT + also
    for index in range(TRACES):
        numbers = [
            int(str(event["idempotencyKey"])) for event in server.events_of(f"trace {index}") if str(event["idempotencyKey"]).isdigit()
        ]
        assert numbers == sorted(numbers)


PASSING: dict[str, Callable[[StrictServer], None]] = {
    "nothing": lambda _: None,
    "429 with seconds": lambda server: server.fail(429, retry_after=1),
    "503 with a date": lambda server: server.fail(503, retry_after_date=1),
    "503 twice": lambda server: server.fail(503, times=2),
    "502": lambda server: server.fail(502),
    "504": lambda server: server.fail(504),
    "408": lambda server: server.fail(408),
    "404": lambda server: server.fail(404),
    "401": lambda server: server.fail(401),
    "500 twice": lambda server: server.fail(500, times=2),
    "a cut": lambda server: server.cut(),
    "three cuts": lambda server: server.cut(times=3),
    "a lost answer": lambda server: server.cut(store=True),
    "three lost answers": lambda server: server.cut(store=True, times=3),
    "nobody there for a while": lambda server: server.away(0.3),
}


@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_costs_nothing(server, home, trouble):
    """After passing trouble of each kind everything is there, and nothing was parked."""
    PASSING[trouble](server)
    subject = to(server, home)
    record(subject)
    assert subject.close(20).result(25) == FlushResult(delivered=COUNT)
    check(server)


BAD = {
    "400 with an index": line("bad", "trace 1", timestamp="2026-01-01T00:00:00+00:00"),
    "400 without one": line("bad", "trace 1", stepId=None),
    "400 of a missing tool": line("bad", "trace 1", eventType="tool_call_request"),
    "400 of a missing model": line("bad", "trace 1", eventType="llm_response", content={"content": "hi"}),
    "500": line("bad", "trace 1", content={"message": "\0"}),
    "500 of a fraction": line("bad", "trace 1", metadata={"latencyMs": 1.5}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_event_is_rejected_alone(server, home, name, caplog):
    """With the service's reason; its neighbours arrive, those that the service had stored already too."""
    subject = to(server, home)
    record(subject, BAD[name])
    assert subject.close(20).result(25) == FlushResult(delivered=COUNT, rejected=1)
    check(server)
    assert f"rejected permanently: {name[:3]}" in caplog.text


def test_several_bad_events_of_several_kinds(server, home):
    """Each is found."""
    subject = to(server, home)
    record(subject, *(text.replace(b'"bad"', b'"bad %d"' % index) for index, text in enumerate(BAD.values())))
    assert subject.close(30).result(35) == FlushResult(delivered=COUNT, rejected=len(BAD))
    check(server)


def test_a_trace_of_somebody_else(server, home):
    """All of its events are refused with 409, and parked; other traces go on."""
    other = http_sink(server, api_key="whyops_somebody_else")
    other.send([line("theirs", "trace 1")])
    other.close()
    subject = to(server, home)
    record(subject)
    counts = subject.close(20).result(25)
    assert counts == FlushResult(delivered=COUNT - COUNT // TRACES, rejected=COUNT // TRACES)
    assert len(server.events) == 1 + counts.delivered


def test_a_body_that_is_too_large(server, home, caplog):
    """Smaller ones pass; a single event that is too large is parked."""
    server.max_body = 3000
    subject = to(server, home)
    record(subject, line("huge", "trace 1", size=5000))
    assert subject.close(20).result(25) == FlushResult(delivered=COUNT, rejected=1)
    check(server)
    assert "413" in caplog.text


def test_an_outage_of_500s_parks_nothing(server, home):
    """Nothing passes, so nothing is at fault; when it is over all arrives."""
    server.fail(500, times=None)
    subject = to(server, home, OUTAGE)
    record(subject)
    assert subject.flush(0.4).result(10) == FlushResult(waiting=COUNT)
    requests = len(server.requests)
    assert requests < 40
    server.clear()
    assert subject.close(20).result(25) == FlushResult(delivered=COUNT)
    check(server)


def test_a_refused_key_is_said_once_and_keeps_all(server, tmp_path, caplog):
    """One clear error; with the right key again all arrives."""
    server.fail(401, times=None)
    subject = to(server, tmp_path)
    record(subject)
    assert subject.close(0.3).result(10) == FlushResult(waiting=COUNT)
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(errors) == 1
    assert errors[0].levelno == logging.ERROR
    assert "WHYOPS_API_KEY" in errors[0].message
    assert "whyops_test" not in caplog.text
    server.clear()
    assert to(server, tmp_path).close(20).result(25) == FlushResult(delivered=COUNT)
    check(server)


def test_the_agent_limit(home, caplog):
    """Its events are kept: nothing passes, so nothing is parked, and nothing is hammered. Once there is room for it they arrive."""
    with StrictServer(limits=Limits(agents=0)) as server:
        subject = to(server, home, OUTAGE, agent_metadata={"systemPrompt": "p"})
        record(subject)
        assert subject.close(0.3).result(10) == FlushResult(waiting=COUNT)
        assert len(server.inits) == 1
        assert len(server.requests) < 30
        assert "limited number of agents" in caplog.text
        server.service.agents = Agents(limit=None, sampling_rate=1.0)
        assert subject.close(20).result(25) == FlushResult(delivered=COUNT)
        check(server)


def test_orphans_are_delivered_before_the_agent_is_described_anew(server, tmp_path):
    """The service would else refuse their traces, which began under the older description."""
    old, new = {"systemPrompt": "old"}, {"systemPrompt": "new"}
    begun = http_sink(server, agent_metadata=old)
    begun.send([line("begun", "trace 1")])
    server.fail(503, times=None)
    dead = delivery(lambda: begun, tmp_path, metadata_hash="old")
    record(dead)
    assert dead.close(0.2).result(10).waiting == COUNT
    server.clear()
    heir = delivery(
        lambda: http_sink(server, agent_metadata=new), tmp_path, metadata_hash="new", make_orphan_sink=lambda: http_sink(server)
    )
    heir.record(line("new", "another trace"))
    assert heir.close(20).result(25) == FlushResult(delivered=COUNT + 1)
    check(server, also=2)
    assert [request.path.rpartition("/")[2] for request in server.requests[-4:]] == ["entities", "events", "init", "events"]


def test_sampling_is_said(tmp_path, caplog):
    """Once, with the service's reason, and counted apart."""
    with StrictServer(limits=Limits(sampling_rate=0.0)) as server, caplog.at_level(logging.INFO):
        subject = to(server, tmp_path)
        subject.record(line("first", "first"))
        subject.flush().result(10)
        record(subject)
        assert subject.close(20).result(25) == FlushResult(sampled_out=COUNT + 1)
        assert len([record for record in caplog.records if "did not keep" in record.message]) == 1
    folder = HERE.folder(tmp_path)
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".lines") == ["counts.json"]


def test_a_slow_service_gets_smaller_batches(server, tmp_path, monkeypatch):
    """Batches stop to grow when the answers take long; nothing is lost meanwhile."""
    monkeypatch.setattr(BatchSize, "QUICK_SECONDS", 0.9)
    server.quick_events, server.latency_per_event = 200, 0.005  # 400 events take a second; a busy machine has all of it for 200
    subject = to(server, tmp_path)
    for index in range(900):
        subject.record(line(index))
    assert subject.close(30).result(35).delivered == 900
    sizes = [len(request.json()) for request in server.ingested]
    assert sizes[:3] == [100, 200, 400]
    assert max(sizes) == 400
