"""What the strict server can be told to do wrong, and its connections."""

from __future__ import annotations

import http.client
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.server import ServerProcess, StrictServer, raw
from tests.server.client import Client, event

CUT = (http.client.RemoteDisconnected, ConnectionError)


def test_a_status_some_times(server: StrictServer, client: Client) -> None:
    """A scripted status is answered so many times, and nothing is stored; then all is well."""
    server.fail(503, times=2, retry_after=1)
    server.fail(429, retry_after_date=60)
    statuses, headers = [], []
    for _ in range(4):
        client.send(event())
        statuses.append(client.status)
        headers.append(client.headers.get("retry-after"))
    assert statuses == [503, 503, 429, 201]
    assert headers[0] == "1"
    assert parsedate_to_datetime(headers[2] or "").tzinfo is not None
    assert [request.status for request in server.requests] == statuses


def test_a_status_for_some_time(server: StrictServer, client: Client) -> None:
    """A scripted status can last for a time, or until cleared, and be limited to a path."""
    server.fail(500, seconds=0.05)
    client.send(event())
    assert client.status == 500
    time.sleep(0.06)
    client.send(event())
    assert client.status == 201
    server.fail(500, times=None, path="/api/entities/init")
    client.init()
    assert client.status == 500
    client.send(event(content=2))
    assert client.status == 201
    server.clear()
    client.init()
    assert client.status == 201


def test_an_answer_lost(server: StrictServer, client: Client) -> None:
    """The connection can be cut before or after the events are stored."""
    for store, count in ((False, 0), (True, 1)):
        server.cut(store=store)
        with pytest.raises(CUT):
            client.send(event())
        client.close()
        assert len(server.events) == count
    assert server.requests[0].status is None
    assert client.send(event())[0]["status"] == "skipped"


def test_a_failure_after_storing(server: StrictServer, client: Client) -> None:
    """A scripted status can come although all is stored."""
    server.fail(502, store=True)
    client.send(event())
    assert (client.status, len(server.events)) == (502, 1)


def test_too_large(server: StrictServer, client: Client) -> None:
    """A body over the set size answers 413."""
    server.max_body = 200
    client.send(event(content="x" * 200))
    assert client.status == 413
    client.send(event())
    assert client.status == 201


def test_hanging(server: StrictServer, client: Client) -> None:
    """A hanging server takes the request and never answers; clearing the script cuts it off."""
    server.hang()
    client._connection.timeout = 0.1
    with pytest.raises(TimeoutError):
        client.send(event())
    client.close()
    assert server.events == []
    server.clear()
    server.wait_until(lambda: server.requests[0].status is None)


def test_slow_answers(server: StrictServer, client: Client) -> None:
    """A slow answer comes after all is stored: a client that gives up early finds it."""
    server.slow(0.2)
    client._connection.timeout = 0.05
    with pytest.raises(TimeoutError):
        client.send(event())
    client.close()
    assert len(server.events) == 1


def test_bytes_in_place_of_an_answer(server: StrictServer, client: Client) -> None:
    """What is on the wire can be anything, with an end or without; the events are kept only if asked for."""
    server.pour(raw(201, b"{}"))
    assert client.send(event()) == {}
    client.close()
    server.pour(b"HTTP/1.1 201 Created\r\nX: ", b"x" * 10_000, store=True)
    with pytest.raises(http.client.LineTooLong):
        client.send(event())
    assert len(server.events) == 1


def test_latency(server: StrictServer, client: Client) -> None:
    """Latency can grow with the events of a request."""
    server.latency, server.latency_per_event = 0.02, 0.01
    start = time.monotonic()
    client.send(event(content=1), event(content=2), event(content=3))
    assert time.monotonic() - start >= 0.05


def test_stop_and_start(server: StrictServer, client: Client) -> None:
    """A stopped server refuses connections and drops those that are open; started again it has the same port and state."""
    client.send(event())
    server.stop()
    with pytest.raises(CUT):
        client.send(event())
    client.close()
    with pytest.raises(ConnectionRefusedError):
        client.send(event())
    client.close()
    server.start()
    assert client.send(event())[0]["status"] == "skipped"
    assert server.connections == 2


def test_away(server: StrictServer, client: Client) -> None:
    """The server can go away for a time."""
    server.away(0.05)
    with pytest.raises(ConnectionRefusedError):
        client.send(event())
    client.close()
    server.wait_until(lambda: server._listener is not None)
    client.send(event())
    assert client.status == 201


def test_keep_alive() -> None:
    """Requests share a connection; the server announces how long an idle one stays, and closes it then."""
    with StrictServer(keep_alive=0.1) as server:
        client = Client(server)
        client.send(event())
        assert client.headers["keep-alive"] == "timeout=0.1"
        client.send(event())
        assert server.connections == 1
        time.sleep(0.2)
        with pytest.raises(CUT):
            client.send(event())
        client.close()


def test_spoiled_events(server: StrictServer, client: Client) -> None:
    """A test can have any events refused, alone or with their batch."""
    server.spoil(lambda sent: sent["content"] == 2)
    client.send(event(content=1), event(content=2), event(content=3))
    assert (client.status, [sent["content"] for sent in server.events]) == (500, [1, 3])
    server.service.spoiled.clear()
    server.spoil(lambda sent: sent["content"] == 4, 409)
    client.send(event(content=4))
    assert client.status == 409


def test_a_process_of_its_own(tmp_path: Path) -> None:
    """The server runs in its own process, keeps a journal, and is scripted by requests."""
    with ServerProcess(tmp_path / "journal", "--keep-alive", "2") as process:
        client = Client(process)  # type: ignore[arg-type]  # it has a port, and that is all that is needed
        process.script("fail", status=503, retry_after=2)
        client.send(event())
        assert (client.status, client.headers["retry-after"]) == (503, "2")
        process.script("set", latency=0.001, max_body=10_000)
        client.send(event(content="ä\ud83d\ude00"))
        assert client.status == 201
        assert [sent["content"] for sent in process.wait_for_events(1)] == ["ä\N{GRINNING FACE}"]
        assert [request["status"] for request in process.requests] == [503, 201]
        process.script("away", seconds=0.2)
        client.close()
        with pytest.raises(AssertionError):
            process.wait_for_events(2, timeout=0.1)
