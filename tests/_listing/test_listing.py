"""The list: newest first, of the store and of what waits, paged, filtered and searched."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._cli.test_views import run_of
from tests._render.recordings import Run
from whyops._listing.listing import Listing, Page
from whyops._listing.query import Cursor, Query
from whyops._outbox.file_outbox import FileOutbox
from whyops._store.sink import SqliteSink

from .waiting import wait_in

NOW = datetime(2026, 11, 23, 19, tzinfo=timezone.utc)


@pytest.fixture
def several(home: Path) -> None:
    """Store five traces of several users, agents, tools, nodes and days."""
    old = run_of("a-old", externalUserId="mia", timestamp="2020-01-01T10:00:00.000000Z")
    noded = run_of("x")
    noded.events[0]["metadata"] = {"langgraph_node": "plan"}
    store(home, old, run_of("b-failed!", externalUserId="mia"), run_of("c", agentName="billing"), noded, run_of("y!"))


def asked(listing: Listing, **fields: object) -> Page:
    return listing.page(Query.of({name: str(value) for name, value in fields.items()}, NOW))


def ids(home: Path, **fields: object) -> list[str]:
    return [row.trace_id for row in asked(Listing(home), **fields).rows]


def all_pages(listing: Listing, **fields: object) -> list[list[str]]:
    """Give the ids on each page, one after the other."""
    pages, cursor = [], Cursor().text()
    while True:
        page = asked(listing, **fields, cursor=cursor)
        pages.append([row.trace_id for row in page.rows])
        if page.cursor is None:
            return pages
        cursor = page.cursor.text()


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, ["y!", "x", "c", "b-failed!", "a-old"]),
        ({"errors": 1}, ["y!", "b-failed!"]),
        ({"user": "mia"}, ["b-failed!", "a-old"]),
        ({"agent": "billing"}, ["c"]),
        ({"tool": "refund"}, ["y!", "x"]),
        ({"since": "day"}, ["y!", "x", "c", "b-failed!"]),
        ({"node": "plan"}, ["x"]),
        ({"node": "pla"}, []),
        ({"q": "I am C"}, ["c"]),
        ({"q": "mia", "errors": 1}, ["b-failed!"]),
        ({"q": "i am", "node": "plan"}, ["x"]),
        ({"q": "%"}, []),
        ({"q": "I_am"}, []),
        ({"since": "soon", "limit": "x"}, ["y!", "x", "c", "b-failed!", "a-old"]),
        ({"cursor": '["2020-01-02", 0, "", ""]'}, ["a-old"]),
        ({"cursor": "[[["}, ["y!", "x", "c", "b-failed!", "a-old"]),
    ],
)
def test_filters(home: Path, fields: dict[str, object], expected: list[str]) -> None:
    """Each filter narrows the list, several together more so; one that means nothing leaves it as it is."""
    assert ids(home, **fields) == expected


@pytest.mark.usefixtures("several")
def test_pages(home: Path) -> None:
    """Pages go through all traces, each once, also where one comes in between."""
    listing = Listing(home)
    assert all_pages(listing, limit=2) == [["y!", "x"], ["c", "b-failed!"], ["a-old"]]
    first = asked(listing, limit=2)
    late = run_of("z-late")
    store(home, late)
    assert first.cursor is not None
    assert [row.trace_id for row in asked(listing, limit=2, cursor=first.cursor.text()).rows] == ["c", "b-failed!"]


@pytest.mark.usefixtures("several")
def test_a_search_ends_when_its_time_is_up(home: Path) -> None:
    """What was found so far comes back with where to go on, and no part of the store is searched twice."""
    hurried = Listing(home, seconds=0.0)
    pages = all_pages(hurried, q="a-old")
    assert ([found for page in pages for found in page], len(pages)) == (["a-old"], 2)


@pytest.mark.parametrize(
    "text", ['say "no"', "back\\slash", "naïve café", "NAÏVE", "new\nline", "日本", "a%b_c!", '{"deep": "value"}', "42.5"]
)
def test_what_is_found(home: Path, text: str) -> None:
    """A text is found as it reads, however it was written down: with escapes, in JSON within JSON, in capital letters."""
    raw = {"text": 'say "no" back\\slash naïve café new\nline 日本 a%b_c!', "number": 42.5, "json": json.dumps({"deep": "value"})}
    plain, escaped = Run("plain"), Run("escaped")
    for run in (plain, escaped):
        run.tool("f", {}, raw, "s1")
    store(home, escaped)
    sink = SqliteSink(home)
    sink.send([json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for event in plain.events])
    sink.close()
    assert set(ids(home, q=text)) == {"plain", "escaped"}
    assert ids(home, q=f"{text} and more") == []


def test_where_it_was_found(home: Path) -> None:
    """A hit says in what it was found, with the words around; a name of ours in the form of a line is no hit."""
    run = run_of("a")
    store(home, run)
    (row,) = asked(Listing(home), q="i AM").rows
    assert row.found is not None
    assert (row.found.where, row.found.match) == ("user", "I am")
    assert row.found.after.startswith(" a")
    assert ids(home, q="idempotencyKey") == []


def test_what_waits_is_listed(home: Path, outbox: FileOutbox) -> None:
    """A trace whose events wait is in the list, alone or on top of what the store has of it, counted once."""
    half, other = run_of("half!"), run_of("waits")
    store(home, half.events[:2])
    wait_in(outbox, half)
    wait_in(outbox, other)
    listing = Listing(home)
    rows = {row.trace_id: row for row in asked(listing).rows}
    assert {name: (row.events, row.calls, row.errors, row.waiting) for name, row in rows.items()} == {
        "half!": (3, 1, 1, 1),
        "waits": (3, 1, 0, 3),
    }
    assert (rows["half!"].asked, rows["waits"].asked, rows["waits"].tools) == ("I am half!", "I am waits", ("refund",))
    assert listing.count(Query.of({}, NOW)) == 2
    assert listing.count(Query.of({"errors": "1"}, NOW)) == 1
    assert ids(home, errors=1) == ["half!"]
    assert ids(home, q="i am half") == ["half!"]
    assert ids(home, tool="refund") == ["waits"]


def test_pages_of_both(home: Path, outbox: FileOutbox) -> None:
    """Traces of the store and those that wait stand in one order, over all pages."""
    runs = [Run(f"t{number}") for number in range(9)]
    for number, run in enumerate(runs):
        run.user("Hi", ms=1)
        run.events[0]["timestamp"] = f"2026-11-23T18:14:{number:02d}.000000Z"
        if number % 3:
            store(home, run)
        else:
            wait_in(outbox, run)
    pages = all_pages(Listing(home), limit=2)
    assert [found for page in pages for found in page] == [f"t{number}" for number in reversed(range(9))]
    assert max(map(len, pages)) == 2


def test_nothing_yet(home: Path) -> None:
    """Where nothing was recorded the list is empty, and looking makes no file."""
    assert ids(home) == []
    assert Listing(home).count(Query.of({}, NOW)) == 0
    assert not home.exists()
