"""The sink that sends spans, against a receiver that refuses what Phoenix and MLflow refuse."""

from __future__ import annotations

import base64
import contextlib
import logging
from collections.abc import Iterator
from datetime import datetime, timezone

import httpx
import pytest

from tests._otlp.runs import chat, mapped
from tests._recording.recording import Recording
from tests.server.answer import Answer as Given
from tests.server.otlp import OtlpServer
from whyops._config.otlp import shown_address
from whyops._http.answer import Answer
from whyops._otlp.answers import asked, judge
from whyops._otlp.sink import OtlpSink
from whyops.events import BatchRejected, Receipt, RetryLater


@pytest.fixture
def server() -> Iterator[OtlpServer]:
    with OtlpServer() as running:
        yield running


@pytest.fixture
def sink(server: OtlpServer) -> Iterator[OtlpSink]:
    made = OtlpSink(server.url, {"key": "abc"}, "tester")
    yield made
    made._channel.close()


def test_a_run_arrives_whole(server: OtlpServer, sink: OtlpSink):
    """All spans once, under the agent's name; uncompressed protobuf, and each request taken."""
    lines = chat().lines
    assert sink.send(lines) == Receipt(stored=len(lines))
    sink.close()
    expected = mapped(lines)
    assert sorted(span.SerializeToString() for span in server.spans) == sorted(span.SerializeToString() for span in expected)
    assert set(server.came.values()) == {1}
    assert set(server.projects.values()) == {"tester"}
    assert set(server.statuses) == {200}
    assert server.requests[0].headers["key"] == "abc"


def test_lines_without_spans_are_no_request(server: OtlpServer, sink: OtlpSink):
    """A receiver refuses a request without spans: what holds none is settled at once."""
    recording = Recording()
    with recording.trace("t") as trace:
        trace.user_message_sync([{"role": "user", "content": "hi"}])
    assert sink.send(recording.lines) == Receipt(stored=1)
    assert server.requests == []
    sink.close()
    assert [span.name for span in server.spans] == ["invoke_agent tester"]


@pytest.mark.parametrize("kept", ["first", "last"])
def test_after_lost_answers_all_is_there_once(server: OtlpServer, sink: OtlpSink, kept: str):
    """Sent again in other batches, the spans are the same: whichever of two a receiver keeps, each is there once, and whole."""
    server.kept = kept  # type: ignore[assignment]  (one of the two)
    lines = chat().lines
    for start in range(0, len(lines), 4):
        server.cut(store=True)
        for batch in (lines[start : start + 4], lines[start : start + 2], lines[start + 2 : start + 4]):
            with contextlib.suppress(RetryLater):  # the first that makes a request
                sink.send(batch)
    server.clear()
    sink.send(lines)
    sink.close()
    assert sorted(span.SerializeToString() for span in server.spans) == sorted(span.SerializeToString() for span in mapped(lines))
    assert max(server.came.values()) > 1


def test_when_no_line_came_for_long_the_last_turn_is_sent(server: OtlpServer, sink: OtlpSink):
    """Unless a call of it is open, or a model is being asked; a receiver that is away gets it the next time. No span comes twice."""
    recording = chat()
    with recording.trace("chat-2") as trace:
        trace.tool_call_request_sync("look", [{"name": "look", "arguments": {}}], span_id="s")
        sink.send(recording.lines)
        roots = [span for span in server.spans if not span.parent_span_id]
        assert len(roots) == 1  # the first turn's: another one followed
        assert sink.has_left
        server.fail(503)
        sink.rest()
        assert sink.has_left
        sink.rest()
        assert not sink.has_left
        assert {span.trace_id for span in server.spans if not span.parent_span_id} == {span.trace_id for span in server.spans}
        sink.rest()
        told = len(recording.lines)
        trace.tool_call_response_sync("look", "s", [{"name": "look", "arguments": {}}], {"result": 1})
        trace.user_message_sync([{"role": "user", "content": "And now?"}])
    sink.send(recording.lines[told:])
    assert not sink.has_left
    sink.close()
    assert sorted(span.SerializeToString() for span in server.spans) == sorted(span.SerializeToString() for span in mapped(recording.lines))
    assert set(server.came.values()) == {1}


@pytest.mark.parametrize("all_waits", [False, True])
def test_at_the_end_a_root_that_is_not_sent_is_said(
    server: OtlpServer, sink: OtlpSink, caplog: pytest.LogCaptureFixture, *, all_waits: bool
):
    """With the trace's id, to send it again. Where its lines wait, the root is made of these, and nothing is lost."""
    lines = chat().lines
    if not all_waits:
        sink.send(lines)
    server.fail(503, times=None)
    with contextlib.suppress(RetryLater):
        if all_waits:
            sink.send(lines)
    with caplog.at_level(logging.WARNING, "whyops"):
        sink.close()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (not all_waits)
    assert all(
        " is away, and the span around 1 turn was not sent" in text and text.endswith("whyops push --otlp URL chat-1") for text in said
    )


@pytest.mark.parametrize("status", [429, 502, 503, 504, 500])
def test_asked_to_wait(server: OtlpServer, sink: OtlpSink, status: int):
    """However long: the batch stays."""
    server.fail(status, retry_after=3_600)
    with pytest.raises(RetryLater) as caught:
        sink.send(chat().lines)
    assert (caught.value.after, caught.value.kind) == (3_600, "busy")


@pytest.mark.parametrize("status, kind", [(404, "url"), (415, "url"), (301, "url"), (401, "key"), (403, "key")])
def test_a_wrong_address_or_key_waits_with_a_remedy(server: OtlpServer, sink: OtlpSink, status: int, kind: str):
    """Nothing is wrong with the spans: they wait until the settings are right."""
    server.fail(status)
    with pytest.raises(RetryLater) as caught:
        sink.send(chat().lines)
    assert caught.value.kind == kind
    assert "OTLP" in caught.value.remedy


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_batch_is_told_from_one_span_that_is_refused(server: OtlpServer, sink: OtlpSink, status: int):
    """Which span is refused, a receiver does not say; where it stands alone, that is known."""
    lines = chat().lines
    server.fail(status, times=2)
    with pytest.raises(BatchRejected) as caught:
        sink.send(lines)
    assert (caught.value.indexes, "Scripted" in caught.value.reason) == ((), True)
    with pytest.raises(BatchRejected) as caught:
        sink.send(lines[:3])
    assert caught.value.indexes == [2]
    sink.send(lines)
    sink.close()
    assert len(server.spans) == len(mapped(lines))


def test_a_root_that_is_refused_holds_nothing_up(server: OtlpServer, caplog: pytest.LogCaptureFixture):
    """What is no line's span goes by itself: without an answer it waits for the next time, and refused it is said and dropped."""
    lines = chat().lines
    for status, roots in ((503, 2), (400, 1)):
        server.requests.clear()
        server._spans.clear()
        sink = OtlpSink(server.url, {}, "tester")
        server.fail(200, body={})
        server.fail(status)
        with caplog.at_level(logging.WARNING, "whyops"):
            assert sink.send(lines).stored == len(lines)
        sink.close()
        assert [span.name for span in server.spans].count("invoke_agent tester") == roots
        assert server.statuses[:2] == [200, status]
    assert "1 of its spans" in caplog.text


def test_a_part_that_was_not_taken_is_said(server: OtlpServer, sink: OtlpSink, caplog: pytest.LogCaptureFixture):
    """In an answer of 200, too."""
    server.partly = (3, "too many")
    with caplog.at_level(logging.WARNING, "whyops"):
        sink.send(chat().lines)
    assert "took the request, but not 3 of its spans: too many" in caplog.text


def test_nothing_secret_is_told(server: OtlpServer, caplog: pytest.LogCaptureFixture):
    """Neither headers nor what an address holds is in a repr, an exception or a log, also where the receiver quotes them."""
    address = server.url.replace("http://", "http://user:hush-hush-1@") + "?token=hush-hush-2"
    headers = {"x-api-key": "hush-hush-3", "authorization-extra": "Bearer hush-hush-4"}
    sink = OtlpSink(address, headers, "tester")
    texts = [repr(sink)]
    quoted = "hush-hush-1 hush-hush-2 hush-hush-3 hush-hush-4 " + base64.b64encode(b"user:hush-hush-1").decode()
    for status in (400, 401, 404, 503):
        server.fail(status, body={"message": quoted})
        with pytest.raises((RetryLater, BatchRejected)) as caught:
            sink.send(chat().lines)
        texts += [str(caught.value), repr(caught.value), caught.value.reason]
    server.partly = (1, quoted)
    with caplog.at_level(logging.DEBUG):
        sink.send(chat().lines)
    server.stop()
    with pytest.raises(RetryLater) as caught:
        sink.send(chat().lines)
    sink.close()
    texts += [str(caught.value), caplog.text]
    assert "hush" not in "".join(texts)
    assert base64.b64encode(b"user:hush-hush-1").decode() not in "".join(texts)
    request = server.requests[0]
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"user:hush-hush-1").decode()
    assert (request.headers["x-api-key"], request.query) == ("hush-hush-3", {"token": "hush-hush-2"})
    assert shown_address(address) == server.url


def test_a_request_lasts_no_longer_than_its_time(server: OtlpServer, sink: OtlpSink):
    """One that is never answered is given up where somebody wants to leave."""
    server.hang()
    sink.hurry(0.0)
    with pytest.raises(RetryLater) as caught:
        sink.send(chat().lines)
    assert caught.value.kind == "unreachable"


def test_a_transport_of_the_users_carries_it():
    """As for the service."""
    asked_of: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked_of.append(str(request.url))
        return httpx.Response(200)

    sink = OtlpSink("http://collector:4318/v1/traces", {}, "tester", httpx.MockTransport(respond))
    sink.send(chat().lines)
    sink.close()
    assert set(asked_of) == {"http://collector:4318/v1/traces"}


def test_how_long_a_receiver_asks_to_wait():
    """As seconds or as a date; what is neither is no wish."""
    now = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
    told = {"5": 5, "1.5": 1.5, "Thu, 01 Jan 2026 00:01:00 GMT": 60, "Wed, 31 Dec 2025 00:00:00 GMT": 0, "soon": None, "": None}
    assert {text: asked(Answer(503, {"retry-after": text}, b""), now) for text in told} == told


def test_the_words_of_a_refusal():
    """Of JSON its message, of protobuf's status the same, of a page for a browser nothing."""
    protobuf = {"content-type": "application/x-protobuf"}
    for headers, body, said in (
        ({}, b'{"message": "no such project"}', "400 no such project"),
        (protobuf, b"\x12\x02no", "400 no"),
        (protobuf, b"\x12", "400"),
        ({}, b"<html>", "400"),
        ({}, b"plain\nwords", "400 plain words"),
    ):
        with pytest.raises(BatchRejected) as caught:
            judge(Answer(400, headers, body), 0)
        assert caught.value.reason == said
    assert judge(Answer(200, {}, b"\xff\xff"), 0) == (0, "")
    assert Given(200, {}).status == 200
