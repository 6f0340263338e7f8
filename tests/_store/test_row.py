"""What the store reads out of lines for its list, whatever a client wrote into them."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from pathlib import Path

import pytest

from tests._store.conftest import MakeSink
from tests._store.lines import event, line
from whyops._store import schema
from whyops._store.reader import Selection, StoreReader, TraceSummary
from whyops._store.row import add, sortable
from whyops._trace.recorded import RecordedTrace
from whyops._wire.entry import Entry
from whyops._wire.recorded_time import microseconds
from whyops.events import Receipt, Refusal

KINDS = ("error", "tool_call_request", "tool_call_response", "tool_result", "llm_response")
FAILED = {"toolResults": {"error": "no"}}


def stored(home: Path, make_sink: MakeSink, *events: dict[str, object]) -> TraceSummary:
    sink = make_sink(home)
    assert sink.send([json.dumps(one).encode() + b"\n" for one in events]).refused == ()
    (summary,) = StoreReader(home).summaries()
    return summary


@pytest.mark.parametrize("trace_id", [None, "", 7, ["t"]])
def test_an_event_needs_a_trace(home: Path, make_sink: MakeSink, trace_id: object) -> None:
    """Without a trace's id an event is refused."""
    assert make_sink(home).send([json.dumps(event(traceId=trace_id)).encode()]) == Receipt(stored=0, refused=(Refusal(0, "no traceId"),))


def test_odd_fields_are_taken(home: Path, make_sink: MakeSink) -> None:
    """Whatever JSON value stands in a field, the event is stored and counted as one."""
    odd = (None, 7, 1.5, "x", [], [1], {}, {"a": None}, True, "\ud800")
    fields = ("eventType", "content", "metadata", "timestamp", "spanId", "agentName", "externalUserId", "idempotencyKey")
    events = [
        {**event(number, kind=kind), field: value} for number, (field, value, kind) in enumerate(itertools.product(fields, odd, KINDS))
    ]
    for one in events:
        if one["idempotencyKey"] == event()["idempotencyKey"]:
            one["idempotencyKey"] = None
    assert stored(home, make_sink, *events).events == len(events) - 2 * (len(KINDS) - 1)  # two of the odd keys are keys


def test_a_lone_surrogate_becomes_its_escape(home: Path, make_sink: MakeSink) -> None:
    """Names that UTF-8 can't say are kept in a form that it can."""
    assert stored(home, make_sink, event(trace="a\ud800b", kind="error", spanId="\ud800")).trace_id == "a\\ud800b"


PROMPT = {"metadata": {"promptIds": [0], "fromUser": False}}
MIDDLEWARES = {"metadata": {"promptIds": [0], "middleware": "Summarize"}}


@pytest.mark.parametrize(
    "events, opening",
    [
        ([event(1), event(2)], 1),
        ([event(1, **PROMPT), event(2, **MIDDLEWARES), event(3), event(4)], 3),  # the user's own words, wherever they stand
        ([event(1, kind="error"), event(2, **PROMPT), event(3, **PROMPT)], 2),  # no user speaks: the first prompt
        ([event(1, kind="tool_call_request"), event(2, kind="error")], 1),  # there is no prompt: what came first
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_asked(home: Path, make_sink: MakeSink, events: list[dict[str, object]], opening: int, *, at_once: bool) -> None:
    """A trace opens with what a user said, not with a framework's or a middleware's prompt, however its events come in."""
    for batch in [events] if at_once else [[one] for one in events]:
        summary = stored(home, make_sink, *batch)
    assert summary.opening == events[opening - 1]


@pytest.mark.parametrize(
    "usage, expected",
    [
        ({"promptTokens": 42, "completionTokens": 16, "totalTokens": 58}, (42, 16)),
        ({"promptTokens": 2, "completionTokens": 1, "cacheReadTokens": 1000, "cacheCreationTokens": 50}, (1052, 1)),
        ({"totalTokens": 7}, (7, 0)),
        ({"totalTokens": 7, "completionTokens": 2}, (5, 2)),
        ({"totalTokens": 7, "completionTokens": 9}, (0, 9)),
        ({"promptTokens": -1, "completionTokens": True, "totalTokens": 2**40}, (0, 0)),
        ({"promptTokens": "3"}, (0, 0)),
        ("much", (0, 0)),
    ],
)
def test_tokens(home: Path, make_sink: MakeSink, usage: object, expected: tuple[int, int]) -> None:
    """Cached tokens count as tokens in, and so do those that only a total tells of; what is no count is none."""
    summary = stored(home, make_sink, event(metadata={"usage": usage}))
    assert (summary.tokens_in, summary.tokens_out) == expected


@pytest.mark.parametrize(
    "kinds, calls",
    [
        (("tool_call_request", "tool_call_response"), 1),
        (("tool_call_response", "tool_call_request"), 1),
        (("tool_call_request", "tool_result"), 1),
        (("tool_call_request", "tool_call_response", "tool_result", "tool_result"), 1),
        (("tool_result", "tool_result"), 1),
        (("tool_call_response",), 1),
        (("tool_call_request", "tool_call_request", "tool_call_response"), 2),
        (("error", "embedding_request", "embedding_response"), 0),
    ],
)
def test_a_spans_events_are_counted_as_the_calls_that_they_make_up(
    home: Path, make_sink: MakeSink, kinds: tuple[str, ...], calls: int
) -> None:
    """Also if each comes in a batch of its own."""
    for number, kind in enumerate(kinds):
        summary = stored(home, make_sink, event(number, kind=kind, spanId="s", content={}))
    assert summary.calls == calls


def test_each_event_without_a_span_is_a_call_of_its_own(home: Path, make_sink: MakeSink) -> None:
    """Nothing tells which of them belong together."""
    events = [event(number, kind=kind, content=FAILED) for number, kind in enumerate(KINDS)]
    summary = stored(home, make_sink, *events)
    assert (summary.calls, summary.errors) == (3, 2)


def test_a_tool_is_found_by_each_of_its_events(home: Path, make_sink: MakeSink) -> None:
    """A request, a response alone, a result, and a request that names its tool among the calls only."""
    sink = make_sink(home)
    sink.send([line(1, "a", "tool_call_request", metadata={"tool": "f"}), line(2, "b", "tool_call_response", metadata={"tool": "f"})])
    sink.send(
        [line(3, "c", "tool_result", content={"toolName": "f"}), line(4, "d", "tool_call_request", content={"toolCalls": [{"name": "f"}]})]
    )
    sink.send([line(5, "e", "llm_response", content={"toolCalls": [{"name": "f"}]})])
    assert {summary.trace_id for summary in StoreReader(home).summaries(Selection(tool="f"))} == set("abcd")


def test_a_store_of_older_rules_is_counted_anew(home: Path, make_sink: MakeSink) -> None:
    """What was stored before is counted as what comes now, and the two together."""
    home.mkdir(mode=0o700)
    older = sqlite3.connect(home / "traces.db", isolation_level=None)
    for statement in (text for step in schema.STEPS[:3] for text in step):
        older.execute(statement)
    older.execute("PRAGMA user_version=3")
    (home / "traces.db").chmod(0o600)
    for trace, trace_id in ((1, "t-1"), (2, "t-2")):
        older.execute(
            "INSERT INTO traces (trace, trace_id, started_at, active_at, stored_at, calls, errors) VALUES (?, ?, '', '', 0, 9, 9)",
            (trace, trace_id),
        )
        usage = {"usage": {"totalTokens": 7}}
        request, failed = line(1, trace_id, "tool_call_request", spanId="s"), line(2, trace_id, "error", spanId="s", metadata=usage)
        older.executemany("INSERT INTO events (trace, line) VALUES (?, ?)", [(trace, request), (trace, failed), (trace, b"damaged")])
    older.close()
    make_sink(home).send([line(3, "t-1", "tool_call_response", spanId="s", content=FAILED)])
    assert [(one.calls, one.errors, one.tokens_in) for one in StoreReader(home).summaries()] == [(1, 1, 7), (1, 1, 7)]


def test_a_trace_begins_where_its_block_was_opened(home: Path, make_sink: MakeSink) -> None:
    """A list says the same of a trace's time as the trace itself, also of a store that was written by an older version."""
    opened = line(5, "opened", "user_message", metadata={"startedAt": "2026-11-23T18:14:02Z"})
    took = line(5, "took", "llm_response", metadata={"latencyMs": 1500})
    plain = line(5, "plain", "tool_call_request", metadata={"latencyMs": 1500})
    sink = make_sink(home)
    sink.send([opened, took, plain])
    began = {"opened": "2026-11-23T18:14:02.000000Z", "took": "2026-11-23T18:14:03.500005Z", "plain": "2026-11-23T18:14:05.000005Z"}
    assert {one.trace_id: one.started_at for one in StoreReader(home).summaries()} == began
    sink.close()
    with contextlib.closing(sqlite3.connect(home / "traces.db", isolation_level=None)) as older:
        older.execute("UPDATE traces SET started_at = active_at")
        older.execute("PRAGMA user_version=4")
    assert {one.trace_id: one.started_at for one in StoreReader(home).summaries()} == began
    for name, at in began.items():
        assert RecordedTrace.from_events(StoreReader(home).events(name)).started_at == microseconds(at)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-11-23T18:14:05Z", "2026-11-23T18:14:05.000000Z"),
        ("2026-11-23T18:14:05.1Z", "2026-11-23T18:14:05.100000Z"),
        ("2026-11-23T18:14:05.123456789Z", "2026-11-23T18:14:05.123456Z"),
        ("2026-11-23T18:14:05+00:00", None),
        ("2026-13-23T18:14:05Z", None),
        ("0001-01-01T00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("yesterday", None),
        (5, None),
    ],
)
def test_times_sort_as_text(text: object, expected: str | None) -> None:
    """A time is brought to one length, so that text order is time order."""
    at = microseconds(text)
    assert (None if at is None else sortable(at)) == expected


def test_of_a_batch_only_what_is_new_is_counted(home: Path, make_sink: MakeSink) -> None:
    """Known lines among new ones, the same one twice, and lines without a key: each event is stored and counted once, in its order."""
    calls = [event(number, kind="tool_call_request", spanId=f"s{number}", metadata={"tool": "look"}) for number in range(8)]
    nameless = [{**event(10 + number, kind="error"), "idempotencyKey": None, "spanId": None} for number in range(2)]
    sink = make_sink(home)
    for some in (calls[2:4], [calls[0], calls[2], nameless[0], calls[1], calls[0], calls[3], nameless[1], *calls[4:]]):
        sink.send([json.dumps(one).encode() for one in some])
    (summary,) = StoreReader(home).summaries()
    assert (summary.events, summary.calls, summary.errors) == (10, 8, 2)
    assert list(StoreReader(home).lines("t-1")) == [json.dumps(one).encode() for one in stored_order(calls, nameless)]


def stored_order(calls: list[dict[str, object]], nameless: list[dict[str, object]]) -> list[dict[str, object]]:
    return [calls[2], calls[3], calls[0], nameless[0], calls[1], nameless[1], *calls[4:]]


def test_a_batch_costs_few_statements(home: Path, make_sink: MakeSink) -> None:
    """What Python asks of SQLite does not grow with the lines of a batch: each statement is one call, for however many rows.

    Many traces that are new cost no more than one.
    """
    asked: list[str] = []

    class Counting(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            asked.append(sql)
            return super().execute(sql, *values)  # type: ignore[arg-type]

    sink = make_sink(home)
    sink.send([line(0)])

    called = [event(number, kind="tool_call_request", spanId=f"s{number}", metadata={"tool": "look"}) for number in range(1, 401)]
    with contextlib.closing(sqlite3.connect(sink.path, factory=Counting)) as connection:
        add(connection, {"t-1": [Entry.of(each, b"{}") for each in called]}, now=1e9, day=1)
        assert len(asked) <= 4
        asked.clear()
        add(connection, {f"n-{number}": [Entry.of(event(0, traceId=f"n-{number}"), b"{}")] for number in range(50)}, now=1e9, day=1)
        assert len(asked) <= 3
