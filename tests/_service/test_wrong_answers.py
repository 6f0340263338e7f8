"""A success that is none: nothing is settled but what the answer settles, and what goes right afterwards arrives once."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from tests._delivery.parts import QUICK, delivery, http_sink, line, lines, outbox_files
from tests._service.wrong_answers import WRONG, saved, told
from tests.server import StrictServer, raw
from whyops._outbox.destination import Destination
from whyops.events import Receipt, RetryLater

WAIT = 20.0
METADATA = {"systemPrompt": "Be kind.", "tools": []}


@pytest.fixture
def server():
    with StrictServer() as running:
        yield running


EVENTS = "/api/events"


def sending(server, home, **options):
    """Make a delivery to the server, with its files below `home`. It soon tries again: how long it waits is not looked at here."""
    here = Destination(server.url, "agent", "0123456789ab")
    return delivery(lambda: http_sink(server, **options), home, destination=here, pace=QUICK._replace(backoff=0.005, longest_backoff=0.02))


@pytest.mark.parametrize("through", ["own", "transport"])
@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_settled(server, name, through):
    """Each is a reason to try later, on one short printable line that names what came; the next answer settles all."""
    transport = httpx.HTTPTransport(verify=False) if through == "transport" else None
    sink = http_sink(server, transport=transport)
    server.pour(WRONG[name], times=2, path=EVENTS)
    with pytest.raises(RetryLater) as later:
        sink.send(lines(3))
    reason = later.value.reason
    assert reason.isprintable()
    assert len(reason) < 400
    assert "hunter2" not in reason
    assert later.value.kind in {"url", "queue", "unreachable"}
    assert "WHYOPS_ANALYSE_BASE_URL" in later.value.remedy or later.value.kind == "unreachable"
    server.clear()
    assert sink.send(lines(3)) == Receipt(stored=3)
    assert keys_of(server) == ["0", "1", "2"]
    sink.close()
    if transport is not None:
        transport.close()


@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_deleted_before(server, tmp_path, caplog, name):
    """The lines stay in their file until the service has them; each arrives once, in order, and the cause is said once."""
    server.pour(WRONG[name], times=None, path=EVENTS)
    made = sending(server, tmp_path)
    for text in lines(3):
        made.record(text)
    asked = made.flush(WAIT)
    server.wait_until(lambda: len(server.ingested) > 5)
    assert (made.counts().waiting, made.counts().delivered, made.counts().rejected) == (3, 0, 0)
    assert sum(path.read_bytes().count(b"idempotencyKey") for path in outbox_files(tmp_path)) == 3
    server.clear()
    told_of = asked.result(WAIT)
    made.close(WAIT).result(WAIT)
    assert (told_of.delivered, told_of.waiting, told_of.rejected) == (3, 0, 0)
    assert keys_of(server) == ["0", "1", "2"]
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def keys_of(server):
    return [event["idempotencyKey"] for event in server.events]


def test_what_the_answer_settles_is_settled(server, tmp_path):
    """The status of one event is not known here: the others are not sent again, that one is."""
    results = saved(3)
    results[1]["status"] = "pondering"
    server.pour(told(201, results), path=EVENTS)
    made = sending(server, tmp_path)
    for text in lines(3):
        made.record(text)
    assert made.flush(WAIT).result(WAIT).delivered == 3
    assert [[event["idempotencyKey"] for event in request.events] for request in server.ingested] == [["0", "1", "2"], ["1"]]
    made.close(WAIT).result(WAIT)


def results_by(server, status_of):
    """Have the server answer for each event as `status_of` its key says; without an answer for it, if that is None."""

    def respond(request, respond=server._respond):
        answer = respond(request)
        if (request.method, request.path) != ("POST", "/api/events") or answer.status != 201:
            return answer
        results = [(result, status_of(event["idempotencyKey"])) for result, event in zip(answer.body, request.events, strict=True)]
        return type(answer)(201, [{**result, "status": status} for result, status in results if status is not None])

    server._listener.respond = respond


@pytest.mark.parametrize("status", ["pondering", None])
def test_one_event_without_a_word_for_it_holds_up_no_other(server, tmp_path, caplog, status):
    """It has its chances; while others pass and it does not, it is parked in the end, with the reason."""
    results_by(server, lambda key: status if key == "3" else "saved")
    made = sending(server, tmp_path)
    for index in range(6):
        made.record(line(index, f"trace {index}", spanId=f"span {index}"))
    made.flush(WAIT)
    server.wait_until(lambda: len(server.ingested) > 2)
    for index in range(6, 9):
        made.record(line(index, f"trace {index}", spanId=f"span {index}"))
    told_of = made.close(WAIT).result(WAIT)
    assert (told_of.delivered, told_of.waiting, told_of.rejected) == (8, 0, 1)
    (parked,) = [json.loads(text) for path in tmp_path.glob("outbox/*/parked.jsonl") for text in path.read_text().splitlines()]
    assert parked["event"]["idempotencyKey"] == "3"
    assert "status" in parked["reason"] or "nothing of it" in parked["reason"]


@pytest.mark.parametrize("status", ["pondering", "ok"])
def test_nothing_is_parked_while_nothing_passes(server, tmp_path, status):
    """Words for all events that are not known here are the service's fault, and not the events'."""
    results_by(server, lambda _: status)
    made = sending(server, tmp_path)
    for text in lines(9):
        made.record(text)
    made.flush(WAIT)
    server.wait_until(lambda: len(server.ingested) > 12)
    assert (made.counts().delivered, made.counts().rejected) == (0, 0)
    results_by(server, lambda _: "skipped")
    told_of = made.close(WAIT).result(WAIT)
    assert (told_of.delivered, told_of.waiting, told_of.rejected) == (9, 0, 0)
    assert sorted(keys_of(server)) == [str(index) for index in range(9)]


def test_results_that_name_their_events(server):
    """A list of another length settles the events that it names, by key or span, and no other."""
    sink = http_sink(server)
    sent = [line(0, spanId="a"), line(1, spanId="b"), line(2, spanId="b"), line(3), line(4)]
    results = [{"status": "saved", "spanId": "b"}, {"status": "saved", "spanId": "a"}, {"status": "saved", "idempotencyKey": "4"}]
    server.pour(told(201, results), path=EVENTS)
    receipt = sink.send(sent)
    assert receipt.stored == 2
    assert [refusal.index for refusal in receipt.unsettled] == [1, 2, 3]
    sink.close()


def test_a_repeat_is_told_with_the_ids_of_the_first(server):
    """Two events of one key are one to the service, whatever else they say."""
    sink = http_sink(server)
    assert sink.send([line("same", spanId="one"), line("same", spanId="two")]) == Receipt(stored=2)
    assert len(server.events) == 1
    sink.close()


def test_a_queue_that_took_another_number(server):
    """Which it took can't be told: all are sent again, with the same keys."""
    server.service.is_old = True
    sink = http_sink(server)
    server.pour(told(202, {"success": True, "accepted": True, "queuedCount": 2}), path="/api/events/ingest")
    with pytest.raises(RetryLater, match="took 2 of 3"):
        sink.send(lines(3))
    assert sink.send(lines(3)) == Receipt(stored=3)
    sink.close()


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b'{"status":"bad"}', b"[]"])
def test_a_refusal_of_somebody_else_parks_nothing(server, tmp_path, status, body):
    """What stands in between may refuse all that there is for a while: no event is at fault before another passes."""
    server.pour(raw(status, body), times=9, path=EVENTS)
    made = sending(server, tmp_path)
    for text in lines(6):
        made.record(text)
    told_of = made.close(WAIT).result(WAIT)
    assert (told_of.delivered, told_of.waiting, told_of.rejected) == (6, 0, 0)
    assert sorted(keys_of(server)) == [str(index) for index in range(6)]


class TestAgent:
    """The description of the agent is told to the service, or it is not."""

    @pytest.mark.parametrize("name", [name for name, answer in WRONG.items() if b" 20" in answer[:13]])
    def test_a_wrong_answer(self, server, name):
        """It is no description taken: the events wait for a right one, as they would get the same."""
        sink = http_sink(server, agent_metadata=METADATA)
        server.pour(WRONG[name], times=8)
        while len(server.requests) < 8:
            with pytest.raises(RetryLater):
                sink.send(lines(3))
        assert server.events == []
        server.clear()
        assert sink.send(lines(3)).stored == 3
        paths = [request.path for request in server.requests]
        assert paths[-2:] == ["/api/entities/init", "/api/events"]
        sink.close()

    def test_a_service_that_answers_in_another_way(self, server, caplog):
        """Where events are taken and the description's answer stays strange, it is given up, and said."""
        sink = http_sink(server, agent_metadata=METADATA)
        server.pour(told(200, {"success": True, "data": {"agentId": "1"}}), times=None, path="/api/entities/init")
        for _ in range(2):
            with pytest.raises(RetryLater, match="description of the agent"):
                sink.send([line(1)])
        assert [sink.send([line(index)]).stored for index in (1, 2)] == [1, 1]
        assert len(server.inits) == 3
        assert "does not take the description" in caplog.text
        assert len(caplog.records) == 1
        sink.close()
