"""Asking the service: a wrong answer is an error that says so, and an endless one ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests._http.endless import ENDLESS
from tests.server import StrictServer, raw
from whyops._service import questions as remote
from whyops._service.account import Agent, look_up
from whyops._service.reader import ServiceReader
from whyops.errors import ServiceError

KEY = "whyops_0123456789abcdef"
ENDS = 20.0


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.fixture(params=["own", "transport"])
def reader(request: pytest.FixtureRequest, server: StrictServer) -> Iterator[ServiceReader]:
    """Both ways to the service."""
    if request.param == "own":
        yield ServiceReader(server.url, KEY)
        return
    with httpx.HTTPTransport(verify=False) as transport:
        yield ServiceReader(server.url, KEY, transport)


def agent(reader: ServiceReader) -> Agent | None:
    with reader.questions() as questions:
        return look_up(questions, "agent").agent


def told(body: object, status: int = 200) -> bytes:
    return raw(status, json.dumps(body).encode())


WRONG = {
    "an empty object": told({}),
    "a health check": told({"status": "ok"}),
    "an error": told({"success": False, "error": "no \x1b[31m such route"}),
    "a list": told([]),
    "null": told(None),
    "a page": raw(200, b"<html>log in</html>", "text/html"),
    "nothing": raw(200, b""),
    "no content": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "no list": told({"events": None, "agents": {}}),
    "a list of texts": told({"events": ["one"], "agents": ["one"]}),
    "a list of nulls": told({"events": [None], "agents": [None]}),
    "broken": raw(200, b'{"events": [], "agents": ['),
    "cut off": b'HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"events": [], "agents": []}',
    "created": told({"events": [], "agents": []}, 201),
    "moved": raw(302, b'{"events": [], "agents": []}', Location="https://me:hunter2@elsewhere.test/?token=hunter2"),
    "not found": told({"success": False, "error": "Not found"}, 404),
    "refused": told({"error": "no"}, 400),
    "broken down": told({"events": [], "agents": []}, 500),
    "the key": told({"error": f"unknown key {KEY} or {KEY[:16]}"}, 400),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_an_error(server: StrictServer, reader: ServiceReader, name: str) -> None:
    """Neither an empty trace nor an unknown agent: it says what came, in one line without anything secret, and what to look at."""
    server.pour(WRONG[name], times=2)
    for ask in (lambda: reader.trace("t"), lambda: agent(reader)):
        with pytest.raises(ServiceError, match=r"doctor|can't be asked") as raised:
            ask()
        said = str(raised.value)
        assert server.url in said
        assert said.isprintable()
        assert "hunter2" not in said
        assert KEY[:14] not in said
    server.clear()
    assert reader.trace("t").events == ()
    assert agent(reader) is None


@pytest.mark.parametrize("event", [{"traceId": "another", "eventType": "error"}, {"eventType": 5}, {"id": []}, {}])
def test_events_of_another_trace_are_an_error(server: StrictServer, reader: ServiceReader, event: dict[str, object]) -> None:
    """An answer to another question is none to this one, nor is what is no event."""
    server.pour(told({"events": [event]}))
    with pytest.raises(ServiceError, match="no event of this trace"):
        reader.trace("t")


@pytest.mark.parametrize("name", ["a header", "headers", "continue", "chunks", "a body until the end"])
def test_an_endless_answer_ends(server: StrictServer, reader: ServiceReader, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the time that a question has, whatever comes meanwhile."""
    monkeypatch.setattr(remote, "PAGE_SECONDS", 0.1)
    server.pour(*ENDLESS[name], pause=0.02)
    started = time.monotonic()
    with pytest.raises(ServiceError, match="can't be asked"):
        reader.trace("t")
    assert time.monotonic() - started < ENDS


def test_a_page_is_bounded(server: StrictServer, reader: ServiceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of large events is read, one without an end is not."""
    server.service.ingest(KEY, [{"traceId": "t", "agentName": "a", "eventType": "error", "content": "x" * 100_000}])
    assert len(str(reader.trace("t").events[0]["content"])) == 100_000
    monkeypatch.setattr(remote, "PAGE_BYTES", 50_000)
    with pytest.raises(ServiceError, match="sends more"):
        reader.trace("t")


def test_only_one_way_leads_out(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading goes through the same proxies as sending does, without httpx."""
    monkeypatch.setenv("HTTP_PROXY", server.origin)
    monkeypatch.setattr(httpx, "Client", None)
    monkeypatch.setattr(httpx, "HTTPTransport", None)
    assert ServiceReader("http://service.test/api", KEY).trace("t").events == ()
    assert server.requests[0].headers["host"] == "service.test"
