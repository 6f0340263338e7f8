"""What the store reads out of a line, whatever a client wrote into it."""

from __future__ import annotations

import pytest

from tests._store.lines import event
from whyops._store.row import decode, row_of, sortable


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[]\n", b"1\n", b"\xff\xfe\n", b'{"a": "\xff"}\n', b"[" * 200_000])
def test_what_is_no_object_is_none(line: bytes) -> None:
    """A line that holds no JSON object is told apart, not raised about."""
    assert decode(line) is None


def test_a_number_of_any_length_is_read() -> None:
    """A number of more digits than Python converts does not cost the event."""
    assert decode(b'{"n": ' + b"9" * 5000 + b"}\n") == {"n": "9" * 5000}


@pytest.mark.parametrize("trace_id", [None, "", 7, ["t"]])
def test_an_event_needs_a_trace(trace_id: object) -> None:
    """Without a trace's id there is no row."""
    assert row_of(event(traceId=trace_id)) is None


@pytest.mark.parametrize("odd", [None, 7, 1.5, "x", [], [1], {}, {"a": None}, True])
@pytest.mark.parametrize(
    "field", ["eventType", "content", "metadata", "timestamp", "spanId", "agentName", "externalUserId", "idempotencyKey"]
)
def test_odd_fields_are_taken(field: str, odd: object) -> None:
    """Whatever JSON value stands in a field, the event has a row."""
    for kind in ("error", "tool_call_request", "tool_call_response", "tool_result", "llm_response"):
        assert row_of({**event(kind=kind), field: odd}) is not None


def test_a_lone_surrogate_becomes_its_escape() -> None:
    """Names that UTF-8 can't say are kept in a form that it can."""
    row = row_of(event(trace="a\ud800b"))
    assert row is not None
    assert row.trace_id == "a\\ud800b"


@pytest.mark.parametrize(
    "usage, expected",
    [
        ({"promptTokens": 42, "completionTokens": 16, "totalTokens": 58}, (42, 16)),
        ({"promptTokens": 2, "completionTokens": 1, "cacheReadTokens": 1000, "cacheCreationTokens": 50}, (1052, 1)),
        ({"totalTokens": 7}, (7, 0)),
        ({"totalTokens": 7, "completionTokens": 9}, (0, 9)),
        ({"promptTokens": -1, "completionTokens": True, "totalTokens": 2**40}, (0, 0)),
        ({"promptTokens": "3"}, (0, 0)),
        ("much", (0, 0)),
    ],
)
def test_tokens(usage: object, expected: tuple[int, int]) -> None:
    """Cached tokens count as tokens in; what is no count is none."""
    row = row_of(event(metadata={"usage": usage}))
    assert row is not None
    assert (row.tokens_in, row.tokens_out) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-11-23T18:14:05Z", "2026-11-23T18:14:05.000000Z"),
        ("2026-11-23T18:14:05.1Z", "2026-11-23T18:14:05.100000Z"),
        ("2026-11-23T18:14:05.123456789Z", "2026-11-23T18:14:05.123456Z"),
        ("2026-11-23T18:14:05+00:00", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_times_sort_as_text(text: object, expected: str | None) -> None:
    """A time is brought to one length, so that text order is time order."""
    assert sortable(text) == expected
