"""A trace read back from the service: each event once, all of them, in the order in which they were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import StrictServer, raw
from tests.server.client import KEY, Client, event
from whyops._find import find_trace
from whyops._render.terminal.tree import render_tree
from whyops._service import account, stored_trace, trace_list
from whyops._service.reader import ServiceReader
from whyops._service.stored_trace import StoredTrace
from whyops._trace.incomplete import gaps

AT = "2026-11-23T18:14:05.123Z"
NONCE = "0123456789abcdef"


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.fixture
def client(server: StrictServer) -> Iterator[Client]:
    connected = Client(server)
    yield connected
    connected.close()


def read(server: StrictServer) -> StoredTrace:
    return ServiceReader(server.url, KEY).trace("t")


def numbered(count: int) -> list[dict[str, object]]:
    return [event(content=number, timestamp=AT, idempotencyKey=f"{NONCE}-{number}") for number in range(count)]


def lists(server: StrictServer) -> int:
    return sum(request.path == "/api/events" for request in server.requests)


def test_pages_that_overlap(server: StrictServer, client: Client) -> None:
    """A trace of one millisecond is read whole, and in the order in which it was recorded, whatever the pages repeat."""
    client.send(*numbered(410))
    trace = read(server)
    assert [one["content"] for one in trace.events] == list(range(410))
    assert trace.unread == 0
    assert 3 < lists(server) <= 9


def test_one_pass_is_enough_where_nothing_is_missing(server: StrictServer, client: Client) -> None:
    """Where times differ each page is read once."""
    client.send(*(event(content=n, timestamp=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z") for n in range(400)))
    assert [one["content"] for one in read(server).events] == list(range(400))
    assert lists(server) == 2


def page(names: range, total: int) -> bytes:
    shown = [{**event(content=number, timestamp=AT), "id": f"id-{number}", "stepId": number + 1} for number in names]
    return raw(200, json.dumps({"events": shown, "pagination": {"total": total}}).encode())


def test_the_last_resort(server: StrictServer) -> None:
    """What three passes over the list don't show is taken from the trace's own page."""
    server.pour(page(range(2), 4), times=None, path="/api/events")
    server.pour(page(range(4), 4), path="/api/threads/t")
    trace = read(server)
    assert [one["content"] for one in trace.events] == [0, 1, 2, 3]
    assert (trace.unread, lists(server)) == (0, 3)
    assert [request.query.get("eventLimit") for request in server.requests if request.path == "/api/threads/t"] == ["1000", "1"]


def test_what_is_never_shown_is_counted(server: StrictServer, home: Path) -> None:
    """Events that the service has and does not show are said to be missing, where the trace is shown."""
    server.pour(page(range(2), 5), times=None, path="/api/events")
    trace = find_trace("t", home, ServiceReader(server.url, KEY))
    assert (trace.totals.events, trace.delivery.unread, trace.delivery.left_out) == (2, 3, 0)
    assert gaps(trace) == ["3 events at the service could not be read: look again"]


def test_a_service_that_counts_nothing(server: StrictServer) -> None:
    """Without a total a page that is not full, or shows nothing new, is the last one."""
    shown = [{**event(content=number), "id": str(number)} for number in range(200)]
    server.pour(raw(200, json.dumps({"events": shown}).encode()), times=2, path="/api/events")
    assert len(read(server).events) == 200
    assert lists(server) == 2


def test_reading_ends(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is said of further pages, of which none is the last."""
    monkeypatch.setattr(stored_trace, "_MOST_PAGES", 2)
    shown = [{**event(content=number), "id": str(number)} for number in range(200)]
    server.pour(raw(200, json.dumps({"events": shown}).encode()), times=None, path="/api/events")
    assert len(read(server).events) == 200
    monkeypatch.setattr(account, "_MOST_PAGES", 3)
    more = {"total": 9, "hasMore": True}
    server.pour(raw(200, json.dumps({"agents": [{"id": "1", "name": "a"}], "pagination": more}).encode()), times=None, path="/api/entities")
    monkeypatch.setattr(trace_list, "_MOST_PAGES", 3)
    server.pour(raw(200, json.dumps({"threads": [{"threadId": "t"}], "pagination": more}).encode()), times=None, path="/api/threads")
    with ServiceReader(server.url, KEY).questions() as questions:
        assert account.look_up(questions, "b") == account.Account(2, None)
        traces, total = trace_list.list_traces(questions, trace_list.Wanted(), limit=None)
    assert ([one.trace_id for one in traces], total) == (["t"], 9)


def test_events_without_ids(server: StrictServer) -> None:
    """They are told apart by all that they say."""
    body = {"events": [event(content=1), event(content=2), event(content=1)], "pagination": {"total": 2}}
    server.pour(raw(200, json.dumps(body).encode()), path="/api/events")
    assert [one["content"] for one in read(server).events] == [1, 2]


def test_names_and_prompt(server: StrictServer, client: Client, home: Path) -> None:
    """Agent and user are those of the trace, the system prompt stands before the messages, and keys are where they were."""
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "user", "content": "There?"}]
    asked = event(eventType="user_message", content=messages, externalUserId="ada", timestamp=AT, idempotencyKey=f"{NONCE}-0")
    client.send(asked, event(timestamp=AT, idempotencyKey=f"{NONCE}-1", metadata={"parentSpanId": "s"}))
    trace = find_trace("t", home, ServiceReader(server.url, KEY))
    assert (trace.agent_name, trace.external_user_id) == ("agent", "ada")
    first, error = trace.events
    assert [(one.role, one.content) for one in first.messages] == [("system", "Be kind."), ("user", "Hi\nThere?")]
    assert (error.key, error.process, dict(error.metadata)) == (f"{NONCE}-1", NONCE, {"parentSpanId": "s"})
    shown = render_tree(trace, width=100, color=False, full=True)
    assert "agent · ada · 2 events" in shown
    assert "system: Be kind." in shown


def test_a_service_without_traces_of_its_own(server: StrictServer, client: Client) -> None:
    """Where the trace's own page can't be had, its events are shown without names."""
    client.send(*numbered(3))
    server.fail(404, times=None, path="/api/threads/t")
    assert [(one["content"], "agentName" in one) for one in read(server).events] == [(0, False), (1, False), (2, False)]
