"""What the store tells those who look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests._store.conftest import MakeSink
from tests._store.lines import event, line
from whyops._store import schema
from whyops._store.reader import Selection, StoreReader
from whyops.errors import TraceNotFoundError


def test_no_store_is_a_store_without_traces(home: Path) -> None:
    """Looking at a home that isn't there finds nothing and makes nothing."""
    reader = StoreReader(home)
    assert (reader.summaries(), reader.count(), reader.events("a"), reader.lines("a")) == ([], 0, [], [])
    with pytest.raises(TraceNotFoundError, match="No trace has been recorded in"):
        reader.resolve("last")
    assert not home.exists()


def test_events_come_as_they_came_in(home: Path, make_sink: MakeSink) -> None:
    """A trace's events are in the order of their arrival."""
    make_sink(home).send([line(2), line(9, "other"), line(1)])
    assert StoreReader(home).events("t-1") == [event(2), event(1)]


def test_the_latest_is_first(home: Path, make_sink: MakeSink) -> None:
    """The list begins with the trace that was active last, and can be read page by page."""
    make_sink(home).send([line(5, "b"), line(1, "a"), line(9, "c"), line(7, "a")])
    reader = StoreReader(home)
    assert [summary.trace_id for summary in reader.summaries()] == ["c", "a", "b"]
    assert [summary.trace_id for summary in reader.summaries(limit=1, offset=1)] == ["a"]
    assert reader.resolve("last") == "c"


@pytest.mark.parametrize("wanted", ["session-12", "session-12…", "session-12...", "session-123"])
def test_the_beginning_of_an_id_is_enough(home: Path, wanted: str, make_sink: MakeSink) -> None:
    """An id is found by what no other id begins with, also as a list shows it that had to cut it."""
    make_sink(home).send([line(1, "session-123"), line(2, "session-999")])
    assert StoreReader(home).resolve(wanted) == "session-123"


def test_a_whole_id_wins_over_longer_ones(home: Path, make_sink: MakeSink) -> None:
    """An id that others begin with can be named."""
    make_sink(home).send([line(1, "run"), line(2, "run-2")])
    assert StoreReader(home).resolve("run") == "run"


@pytest.mark.parametrize("wanted", ["nope", "", "%", "_", "RUN", "\ud800"])
def test_an_unknown_id(home: Path, wanted: str, make_sink: MakeSink) -> None:
    """What no id begins with is said to be unknown; nothing in it is a wildcard."""
    make_sink(home).send([line(1, "run")])
    with pytest.raises(TraceNotFoundError, match="begins with"):
        StoreReader(home).resolve(wanted)


def test_an_ambiguous_beginning_names_some(home: Path, make_sink: MakeSink) -> None:
    """With several ids to choose from, the error names the first of them."""
    make_sink(home).send([line(number, f"run-{number}") for number in range(9)])
    with pytest.raises(TraceNotFoundError, match="More than one trace's id begins with 'run-': run-8, run-7, run-6, run-5, run-4, …"):
        StoreReader(home).resolve("run-")


def compact(event_line: bytes) -> bytes:
    """Return a line as it is recorded: without blanks."""
    return json.dumps(json.loads(event_line), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


@pytest.mark.parametrize(
    "selection, expected",
    [
        (Selection(), {"a", "b", "c"}),
        (Selection(errors=True), {"b"}),
        (Selection(external_user_id="u"), {"a"}),
        (Selection(agent_name="other"), {"c"}),
        (Selection(tool="search"), {"b"}),
        (Selection(agent_name="desk"), {"b", "c"}),
        (Selection(agent_name="de"), set()),
        (Selection(agent_name='"'), set()),
        (Selection(agent_name="\ud800"), set()),
        (Selection(node="plan"), {"a"}),
        (Selection(node="Prüfung"), {"b"}),
        (Selection(node="front"), {"c"}),
        (Selection(node="inner"), {"c"}),
        (Selection(node="tools"), {"c"}),
        (Selection(node="front/inner"), set()),
        (Selection(node="summary"), {"a"}),
        (Selection(node="said"), set()),
        (Selection(node="plan", agent_name="desk"), set()),
        (Selection(since="2026-11-23T18:14:02.000000Z"), {"b", "c"}),
        (Selection(until="2026-11-23T18:14:02.000000Z"), {"a"}),
        (Selection(errors=True, external_user_id="u"), set()),
    ],
)
def test_selections(home: Path, selection: Selection, expected: set[str], make_sink: MakeSink) -> None:
    """Traces are selected by what they hold; several conditions are all met."""
    make_sink(home).send(
        [
            line(1, "a", externalUserId="u", metadata={"langgraph_node": "plan", "middleware": "summary"}),
            line(2, "b", kind="tool_call_request", metadata={"tool": "search", "step": "Prüfung", "agent": "desk"}),
            line(3, "b", kind="error", content={"agent": "other", "step": "said"}),
            line(4, "c", agentName="other", metadata={"agent": "desk", "langgraph_node": "tools"}),
            compact(line(5, "c", agentName="other", metadata={"langgraph_subgraph": "front/inner", "langgraph_node": "model"})),
        ]
    )
    reader = StoreReader(home)
    assert {summary.trace_id for summary in reader.summaries(selection)} == expected
    assert reader.count(selection) == len(expected)


def test_many_traces_are_read_through_one_connection(home: Path, make_sink: MakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as it would be alone, in the order that was asked for; none where there is no store."""
    assert list(StoreReader(home).lines_of_each(["a"])) == []
    make_sink(home).send([line(5, "b"), line(1, "a"), line(9, "c"), line(7, "a")])
    reader, opened = StoreReader(home), []
    connect = schema.connect_to_read
    monkeypatch.setattr(schema, "connect_to_read", lambda path: opened.append(path) or connect(path))
    assert reader.trace_ids() == ["c", "a", "b"]
    assert list(reader.lines_of_each(["a", "none", "c"])) == [line(1, "a"), line(7, "a"), line(9, "c")]
    assert len(opened) == 2
