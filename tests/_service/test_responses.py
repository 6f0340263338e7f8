"""What each answer of the service means, as a table."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from tests._delivery.parts import line, lines
from whyops._http.answer import MAX_REASON, Answer
from whyops._service.responses import judge
from whyops.events import BatchRejected, Receipt, RetryLater

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone.utc)


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def saved(*statuses: str) -> list[dict[str, str]]:
    return [{"id": "1", "status": status, "message": f"why {status}"} for status in statuses]


@pytest.mark.parametrize(
    "given,count,meant",
    [
        (answer(201, saved("saved", "saved")), 2, Receipt(stored=2)),
        (answer(201, saved("saved", "skipped")), 2, Receipt(stored=2)),
        (answer(201, saved("saved", "sampled_out")), 2, Receipt(stored=1, sampled_out=1, sampled_out_reason="why sampled_out")),
        (answer(201, saved("sampled_out")[0]), 1, Receipt(stored=0, sampled_out=1, sampled_out_reason="why sampled_out")),
        (answer(202, {"success": True, "accepted": 3, "queuedCount": 3}), 3, Receipt(stored=0, accepted=3)),
        (answer(200, saved("saved")), 1, Receipt(stored=1)),
    ],
)
def test_a_good_answer_settles_all(given, count, meant):
    """An answer of the service's own form settles each event: stored, known before, or sampled out, which is counted apart."""
    assert judge(given, lines(count), NOW) == meant


@pytest.mark.parametrize("statuses", ["saved", "saved saved", "saved skipped", "saved sampled_out", "sampled_out sampled_out"])
@pytest.mark.parametrize("message", ["none", '"status":"saved"', '[{"status":"saved"}]'])
def test_an_answer_means_the_same_with_and_without_blanks(statuses, message):
    """The service writes none, and what is read from that without a parser is what a parser finds; also if a message talks of it."""
    results = [{"status": status, "message": message} for status in statuses.split()]
    terse = answer(201, json.dumps(results, separators=(",", ":")).encode())
    sent = lines(len(results))
    assert judge(terse, sent, NOW) == judge(answer(201, results), sent, NOW)


def result_of(span: object, **fields: object) -> dict[str, object]:
    return {"id": "1", "status": "saved", "spanId": span, **fields}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("count", [2, 40, 1000])
def test_results_of_other_events_settle_nothing(separators, count):
    """An answer to another request of as many events is none to this one; in whatever form a span is written, it is the same."""
    sent = [line(index, spanId=f"ü {index}") for index in range(count)]

    def outcome(results: list[dict[str, object]]) -> object:
        return judge(answer(201, json.dumps(results, separators=separators, ensure_ascii=False).encode()), sent, NOW)

    assert outcome([result_of(f"ü {index}") for index in range(count)]) == Receipt(stored=count)
    assert isinstance(outcome([result_of(f"ü {index + 1}") for index in range(count)]), RetryLater)
    mixed = outcome([result_of("another" if index == 1 else f"ü {index}", message="{" if count > 2 else "") for index in range(count)])
    assert isinstance(mixed, Receipt)
    assert (mixed.stored, [refusal.index for refusal in mixed.unsettled]) == (count - 1, [1])


@pytest.mark.parametrize("content", ['"spanId":"inner"', {"spanId": "inner"}, {"a": {"idempotencyKey": "x", "traceId": "y"}}])
@pytest.mark.parametrize("told", [{"spanId": "made by the service"}, {"traceId": "t"}, {"idempotencyKey": "0"}, {"spanId": None}, {}])
def test_ids_are_the_events_own(content, told):
    """What an event's contents hold under the same names does not count; an id that it lacks may be anything."""
    sent = [line(0, content=content)]
    assert judge(answer(201, [{"status": "saved", **told}]), sent, NOW) == Receipt(stored=1)
    assert isinstance(judge(answer(201, [{"status": "saved", "traceId": "other"}]), sent, NOW), RetryLater)


@pytest.mark.parametrize(
    "given,kind",
    [
        (answer(200, b"<html>log in to the hotel</html>"), "url"),
        (answer(200), "url"),
        (answer(301, location="https://else.where"), "url"),
        (answer(404, {"error": "Not found"}), "url"),
        (answer(405), "url"),
        (answer(407), "url"),
        (answer(401, {"error": "Unauthorized: Authentication required"}), "key"),
        (answer(403, {"error": "Forbidden"}), "key"),
        (answer(408), "busy"),
        (answer(425), "busy"),
        (answer(429), "busy"),
        (answer(501), "busy"),
        (answer(502, b"<html>bad gateway</html>"), "busy"),
        (answer(503), "busy"),
        (answer(504), "busy"),
        (answer(599), "busy"),
    ],
)
def test_what_is_not_the_events_fault_keeps_them(given, kind):
    """Whatever speaks against the moment, the key or the address, and not against the events, has them sent again later."""
    outcome = judge(given, lines(5), NOW)
    assert isinstance(outcome, RetryLater)
    assert outcome.kind == kind
    assert outcome.after is None
    assert str(given.status) in outcome.reason
    assert bool(outcome.remedy) == (kind in {"url", "key"})


@pytest.mark.parametrize(
    "given,seconds",
    [
        (answer(429, retry_after="7"), 7),
        (answer(503, retry_after="Fri, 20 Nov 2026 12:01:30 GMT"), 90),
        (answer(503, retry_after="Fri, 20 Nov 2026 11:00:00 GMT"), 0),
        (answer(429, {"retryAfter": "2026-11-20T12:00:20.000Z"}), 20),
        (answer(429, {"retryAfter": 3}), 3),
        (answer(429, x_ratelimit_reset="2026-11-20T12:00:45Z"), 45),
        (answer(502, retry_after="4"), 4),
        (answer(503, retry_after="soon"), None),
        (answer(503, b"[" * 100_000), None),
        (answer(503, retry_after="\u00b2"), None),
        (answer(503, retry_after="9" * 500), None),
        (answer(429, b'{"retryAfter": 1e999}'), None),
        (answer(429, b'{"retryAfter": NaN}'), None),
        (answer(429, b'{"retryAfter": 1' + b"0" * 400 + b"}"), None),
        (answer(503, retry_after="Fri, 31 Dec 99999 23:59:59 GMT"), None),
        (answer(503, retry_after="-5"), None),
    ],
)
def test_the_time_that_the_service_asks_for(given, seconds):
    """It may be told in seconds or as a time, in a header or in the body."""
    outcome = judge(given, lines(5), NOW)
    assert isinstance(outcome, RetryLater)
    assert outcome.after == seconds


@pytest.mark.parametrize(
    "given,indexes,passing",
    [
        (answer(400, {"error": "Validation failed", "details": [{"field": "1.timestamp", "message": "Invalid"}]}), [1], False),
        (answer(400, {"details": [{"field": "0.metadata.tool"}, {"field": "3.spanId"}, {"field": "3.stepId"}]}), [0, 3], False),
        (answer(400, {"details": [{"field": "", "message": "Invalid input"}]}), [], False),
        (answer(400, {"details": [{"field": "17.timestamp"}]}), [], False),
        (answer(400, {"error": "MISSING_MODEL: model is required"}), [], False),
        (answer(409, {"error": "trace belongs to another agent"}), [], False),
        (answer(413, b"<html>too large</html>"), [], False),
        (answer(422, {"error": "no"}), [], False),
        (answer(400, b"<html>bad request</html>"), [], True),
        (answer(409, {"status": "conflict"}), [], True),
        (answer(500, {"error": "Internal server error"}), [], True),
    ],
)
def test_what_speaks_against_an_event(given, indexes, passing):
    """A refusal names the events if the answer does; a 500 may as well be the service's own trouble."""
    outcome = judge(given, lines(5), NOW)
    assert isinstance(outcome, BatchRejected)
    assert list(outcome.indexes) == indexes
    assert outcome.perhaps_passing == passing
    assert outcome.reason.startswith(str(given.status))


def test_a_reason_is_one_short_line():
    """What the service says goes into a log line, so it is short and holds no line feed."""
    body = {"error": "bad\nthing\t\x1b[31m\u202e" + "x" * 5000, "message": "bad", "details": [{"field": "1.a", "message": "no\r\n"}]}
    outcome = judge(answer(400, body), lines(5), NOW)
    assert isinstance(outcome, BatchRejected)
    assert outcome.reason.isprintable()
    assert len(outcome.reason) <= MAX_REASON + 4
