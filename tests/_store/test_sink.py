"""Lines go into the local store, each once, from any number of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import whyops._store
from tests._store.conftest import MakeSink
from tests._store.lines import event, line
from whyops._store import schema
from whyops._store.reader import StoreReader, TraceSummary
from whyops.errors import StoreError
from whyops.events import Receipt, Refusal, Sink


def only(home: Path) -> TraceSummary:
    (summary,) = StoreReader(home).summaries()
    return summary


def test_it_is_a_sink(home: Path, make_sink: MakeSink) -> None:
    """What delivers lines needs to know no more than the protocol."""
    sink: Sink = make_sink(home)
    sink.close()
    assert not home.exists()


def test_a_python_without_sqlite(home: Path, make_sink: MakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser before it is loaded: what is missing is named, and what else may be done."""
    monkeypatch.delattr(whyops._store, "schema")
    monkeypatch.setitem(sys.modules, "whyops._store.schema", None)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"This Python has no .*schema, so there is no local store.*WHYOPS_API_KEY"):
        make_sink(home).send([line(1)])
    assert not home.exists()


def test_lines_are_kept_to_the_byte(home: Path, make_sink: MakeSink) -> None:
    """The store gives back what it was given, also where another encoder would write it differently."""
    lines = [line(1), b'{ "traceId":"t-1" , "eventType":"x","n":1.10,"s":"\\u00e4\xc3\xa4" }\n']
    assert make_sink(home).send(lines) == Receipt(stored=2)
    assert StoreReader(home).lines("t-1") == lines


def test_a_line_sent_again_is_not_stored_again(home: Path, make_sink: MakeSink) -> None:
    """A second event of the same trace with the same key is a repeat: counted as stored, kept once, also in the sums."""
    call = line(1, kind="tool_call_request", metadata={"tool": "f", "usage": {"promptTokens": 5}})
    sink = make_sink(home)
    assert sink.send([call, call]) == Receipt(stored=2)
    assert sink.send([call]) == Receipt(stored=1)
    summary = only(home)
    assert (summary.events, summary.calls, summary.tokens_in) == (1, 1, 5)


def test_the_same_key_in_another_trace_is_another_event(home: Path, make_sink: MakeSink) -> None:
    """A key counts within its trace."""
    make_sink(home).send([line(1, "a"), line(1, "b")])
    assert [summary.events for summary in StoreReader(home).summaries()] == [1, 1]


def test_equal_events_without_a_key_are_both_kept(home: Path, make_sink: MakeSink) -> None:
    """Without a key, nothing tells a repeat from an equal event: both stay."""
    unkeyed = json.dumps({name: value for name, value in event().items() if name != "idempotencyKey"}).encode() + b"\n"
    make_sink(home).send([unkeyed, unkeyed])
    assert only(home).events == 2


def test_what_is_no_event_is_refused(home: Path, make_sink: MakeSink) -> None:
    """A line that can't be kept is refused by its place, with the reason, and its neighbours are stored."""
    receipt = make_sink(home).send([line(1), b"nonsense\n", b"{}\n", line(2)])
    assert receipt == Receipt(stored=2, refused=(Refusal(1, "not a JSON object"), Refusal(2, "no traceId")))
    assert only(home).events == 2


def test_refused_lines_alone_make_no_file(home: Path, make_sink: MakeSink) -> None:
    """Nothing to store, nothing to open."""
    make_sink(home).send([b"nonsense\n"])
    make_sink(home).send([])
    assert not home.exists()


def test_the_summary_of_a_trace(home: Path, make_sink: MakeSink) -> None:
    """Names, times, counts and the first user message are ready for a list, over several batches."""
    sink = make_sink(home)
    sink.send([line(2, kind="llm_thinking"), line(3, externalUserId="u-1"), line(4, kind="tool_call_request", metadata={"tool": "f"})])
    sink.send([line(1, agentName="other", externalUserId="u-2"), line(5, kind="tool_result", content={"toolName": "g"})])
    sink.send([line(6, kind="llm_response", metadata={"usage": {"promptTokens": 3, "completionTokens": 4}})])
    summary = only(home)
    assert summary.trace_id == "t-1"
    assert (summary.agent_name, summary.external_user_id) == ("support", "u-1")
    assert (summary.started_at, summary.active_at) == ("2026-11-23T18:14:01.000001Z", "2026-11-23T18:14:06.000006Z")
    assert (summary.events, summary.calls, summary.errors, summary.tokens_in, summary.tokens_out) == (6, 2, 0, 3, 4)
    assert summary.opening is not None
    assert summary.opening["idempotencyKey"] == "0123456789abcdef-3"


def test_a_failing_call_is_one_error(home: Path, make_sink: MakeSink) -> None:
    """The error of a call and the response that tells of it are one; errors without a span are each one more."""
    failed = {"toolCalls": [], "toolResults": {"error": "no"}}
    sink = make_sink(home)
    sink.send([line(1, kind="error", spanId="a", content={"message": "no"})])
    sink.send(
        [line(2, kind="tool_call_response", spanId="a", content=failed), line(3, kind="tool_call_response", spanId="b", content=failed)]
    )
    sink.send([line(4, kind="error"), line(5, kind="error")])
    assert only(home).errors == 4


def test_a_time_to_come_counts_as_now(home: Path, make_sink: MakeSink) -> None:
    """A client's wrong clock can't keep its trace on top of the list for ever."""
    make_sink(home, clock=lambda: 1_000_000_000.0).send([line(1), line(2, timestamp="some day")])
    assert only(home).active_at == "2001-09-09T01:46:40.000000Z"


def test_it_stays_within_its_size(home: Path, caplog: pytest.LogCaptureFixture, make_sink: MakeSink) -> None:
    """When the store is full, the oldest traces go, whole, the file gives room back, and it is said once, with what sets the limit."""
    limit = 2_000_000
    now = [1_800_000_000.0]
    sink = make_sink(home, max_bytes=limit, clock=lambda: now[0])
    for number in range(200):
        now[0] += 1
        sink.send([line(number * 2 + part, f"t-{number}", content="x" * 15_000) for part in range(2)])
    summaries = StoreReader(home).summaries()
    assert 45 < len(summaries) < 70
    assert {int(summary.trace_id[2:]) for summary in summaries} == set(range(200 - len(summaries), 200))
    assert {summary.events for summary in summaries} == {2}
    sink.close()
    assert (home / "traces.db").stat().st_size < limit * 1.3
    assert len(caplog.records) == 1
    assert "is full (2 MB)" in caplog.text
    assert "local_max_bytes" in caplog.text


def test_it_waits_for_another_writer(home: Path, make_sink: MakeSink) -> None:
    """A writer that holds the store for a while costs a wait, not an error."""
    sink = make_sink(home)
    sink.send([line(1)])
    other = sqlite3.connect(home / "traces.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    sink.send([line(2)])
    timer.join()
    other.close()
    assert only(home).events == 2


def test_a_store_that_stays_locked_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch, make_sink: MakeSink) -> None:
    """What can't be stored now raises, so that it is sent again later; then it is stored."""
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    sink = make_sink(home)
    sink.send([line(1)])
    other = sqlite3.connect(home / "traces.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        sink.send([line(2)])
    other.execute("COMMIT")
    other.close()
    assert sink.send([line(2)]) == Receipt(stored=1)


def test_trouble_with_pruning_costs_no_event(home: Path, caplog: pytest.LogCaptureFixture, make_sink: MakeSink) -> None:
    """When old traces can't be removed the new ones are stored all the same, and it is said."""
    for day in range(3):
        make_sink(home, clock=lambda day=day: day * 86_400.0).send([line(1, f"t-{day}")])
    connection = sqlite3.connect(home / "traces.db")
    connection.execute("CREATE TRIGGER stop BEFORE DELETE ON traces BEGIN SELECT RAISE(FAIL, 'not today'); END")
    connection.close()
    sink = make_sink(home, max_age_days=1)
    assert sink.send([line(2, "new")]) == Receipt(stored=1)
    assert "not today" in caplog.text


WRITER = """
import sys
from pathlib import Path
from tests._store.conftest import MakeSink
from tests._store.lines import line
from whyops._store.sink import SqliteSink

home, me = Path(sys.argv[1]), int(sys.argv[2])
sink = SqliteSink(home)
for batch in range(20):
    numbers = range(me * 1000 + batch * 10, me * 1000 + batch * 10 + 10)
    sink.send([line(number, "shared" if number % 2 else f"own-{me}") for number in numbers])
    if batch % 5 == 4:
        sink.close()
"""


def test_several_processes_write_at_once(home: Path) -> None:
    """All that several processes write into a new store is there, once, while another process reads."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(me)]) for me in range(4)]
    reader = StoreReader(home)
    while any(writer.poll() is None for writer in writers):
        for summary in reader.summaries():
            assert len(reader.lines(summary.trace_id)) >= summary.events
        time.sleep(0.02)
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    assert {summary.trace_id: summary.events for summary in reader.summaries()} == {
        "shared": 400,
        **{f"own-{me}": 100 for me in range(4)},
    }


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_parent_and_child_both_go_on_after_a_fork(home: Path, make_sink: MakeSink) -> None:
    """No connection is taken into the child: both write on, and nothing is lost or doubled."""
    sink = make_sink(home)
    sink.send([line(1)])

    def in_child() -> None:
        for number in range(100, 150):
            sink.send([line(number)])
        sink.close()

    child = multiprocessing.get_context("fork").Process(target=in_child)
    child.start()
    for number in range(200, 250):
        sink.send([line(number)])
    child.join()
    assert child.exitcode == 0
    sink.close()
    assert only(home).events == 101
    connection = sqlite3.connect(home / "traces.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@needs_fork
def test_a_child_forked_amid_a_write_leaves_the_store_alone(home: Path, monkeypatch: pytest.MonkeyPatch, make_sink: MakeSink) -> None:
    """Where a fork could not wait for a write, the child does not write over the parent's copied locks: it says so instead."""
    from whyops._store import sink as module  # noqa: PLC0415

    monkeypatch.setattr(module, "_FORK_WAITS_SECONDS", 0.01)
    monkeypatch.setattr(module, "_inherited", [])
    sink = make_sink(home)
    sink.send([line(1)])
    with sink._lock:
        sink.before_fork()
        sink.after_fork_in_parent()
    sink.send([line(2)])
    sink._lock.acquire()
    sink.before_fork()
    sink.after_fork_in_child()
    with pytest.raises(StoreError, match="forked"):
        sink.send([line(3)])
    with pytest.raises(StoreError, match="forked"):
        make_sink(home).send([line(3)])
    module._inherited.pop().close()
    assert only(home).events == 2
