"""What the local store lets go of by itself: by the days of its use, and by its size. No clock that goes wrong costs a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._store.conftest import MakeSink
from tests._store.lines import line
from whyops._store import schema
from whyops._store.reader import StoreReader
from whyops._store.sink import SqliteSink

DAY = 86_400.0
NOW = 1_800_000_000.0
YEAR_1970, YEAR_2100, YEAR_9999_PLUS = 5.0, 4_102_444_800.0, 1e14


class Runs:
    """One program after the other, each with the clock that it is given, all with one store."""

    def __init__(self, home: Path, days: int) -> None:
        self.home = home
        self._days = days
        self._count = 0

    def run(self, now: float, *traces: str) -> None:
        """Have a program store an event of each trace."""
        sink = SqliteSink(self.home, max_age_days=self._days, clock=lambda: now)
        for trace in traces:
            self._count += 1
            sink.send([line(self._count, trace)])
        sink.close()

    def every_day(self, first: int, days: int) -> None:
        """Have a program run on each of so many days, with a trace named after its day."""
        for day in range(first, first + days):
            self.run(NOW + day * DAY, f"day {day}")

    def kept(self) -> set[str]:
        return {summary.trace_id for summary in StoreReader(self.home).summaries()}


@pytest.fixture
def runs(home: Path) -> Runs:
    return Runs(home, days=5)


def days(first: int, last: int) -> set[str]:
    return {f"day {day}" for day in range(first, last + 1)}


def test_a_trace_goes_after_so_many_days_of_use(runs: Runs) -> None:
    """What had no news for more than five days, without the present one, goes, with all that belongs to it."""
    runs.every_day(0, 7)
    assert runs.kept() == days(0, 6)
    runs.every_day(7, 5)
    assert runs.kept() == days(5, 11)
    connection = sqlite3.connect(runs.home / "traces.db")
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (7,)
    connection.close()


def test_a_trace_that_goes_on_stays(runs: Runs) -> None:
    """It is old by its last event, not by its first."""
    for day in range(12):
        runs.run(NOW + day * DAY, "going on", f"day {day}")
    assert runs.kept() == {"going on"} | days(5, 11)


@pytest.mark.parametrize("wrong", [YEAR_1970, -1.0, YEAR_2100, YEAR_9999_PLUS])
def test_one_run_with_any_clock_removes_nothing(runs: Runs, wrong: float) -> None:
    """Neither then, nor when the clock goes right again, and its own trace stays as long as another of that day."""
    runs.every_day(0, 6)
    runs.run(wrong, "wrong")
    runs.run(NOW + 5 * DAY, "right")
    assert runs.kept() == days(0, 5) | {"wrong", "right"}
    runs.every_day(6, 6)
    assert runs.kept() == days(6, 11) | {"wrong", "right"}
    runs.every_day(12, 1)
    assert runs.kept() == days(6, 12)


def test_a_clock_that_goes_wrong_within_a_run(home: Path, make_sink: MakeSink) -> None:
    """A machine that gets its time while the program runs loses nothing, and old traces still go later."""
    now = [NOW]
    sink = make_sink(home, max_age_days=2, clock=lambda: now[0])
    for number, moment in enumerate((YEAR_1970, NOW, YEAR_2100, NOW, NOW + DAY)):
        now[0] = moment
        sink.send([line(number, f"t-{number}")])
    assert StoreReader(home).count() == 5
    for day in range(2, 6):
        now[0] = NOW + day * DAY
        sink.send([line(100 + day, f"d-{day}")])
    assert {summary.trace_id for summary in StoreReader(home).summaries()} == {"d-2", "d-3", "d-4", "d-5"}


def test_a_store_that_lay_unused_for_a_year_loses_nothing_at_once(runs: Runs) -> None:
    """What was there goes a day's traces at a time, as if the year had not been."""
    runs.every_day(0, 7)
    runs.every_day(365, 1)
    assert runs.kept() == days(1, 6) | {"day 365"}
    runs.every_day(366, 2)
    assert runs.kept() == days(3, 6) | days(365, 367)


def test_the_events_own_times_say_nothing_about_a_traces_age(home: Path, make_sink: MakeSink) -> None:
    """A user may give any timestamp: a trace is as old as its arrival."""
    for day in range(6):
        sink = make_sink(home, max_age_days=2, clock=lambda day=day: NOW + day * DAY)
        for number, year in enumerate((1999, 2999)):
            sink.send([line(10 * day + number, f"{year} {day}", timestamp=f"{year}-01-01T00:00:00.000Z")])
    assert {summary.trace_id for summary in StoreReader(home).summaries()} == {
        f"{year} {day}" for year in (1999, 2999) for day in (2, 3, 4, 5)
    }


def test_for_want_of_room_the_oldest_by_arrival_go(home: Path, make_sink: MakeSink) -> None:
    """A clock that stood at 1970 for a run does not make that run's traces the oldest."""
    for number, now in enumerate((NOW, NOW + DAY, YEAR_1970)):
        make_sink(home, max_bytes=500_000, clock=lambda now=now: now).send([line(number, f"run {number}", content="x" * 200_000)])
    assert {summary.trace_id for summary in StoreReader(home).summaries()} == {"run 1", "run 2"}


def test_zero_is_no_bound(home: Path, make_sink: MakeSink) -> None:
    """Neither age nor size then costs a trace."""
    for day in range(100):
        make_sink(home, max_age_days=0, max_bytes=0, clock=lambda day=day: NOW + day * DAY).send([line(day, f"day {day}")])
    assert StoreReader(home).count() == 100


def test_what_goes_is_said(home: Path, make_sink: MakeSink, caplog: pytest.LogCaptureFixture) -> None:
    """How many, where, and which setting it is."""
    for day in range(4):
        make_sink(home, max_age_days=1, clock=lambda day=day: NOW + day * DAY).send([line(day, f"day {day}")])
    assert len(caplog.messages) == 1
    assert "1 of them" in caplog.text
    assert str(home) in caplog.text
    assert "local_max_age_days" in caplog.text


def test_a_batch_that_is_small_looks_neither_at_ages_nor_at_sizes(home: Path, make_sink: MakeSink) -> None:
    """Only once an hour, whichever way the clock went, and once much was written."""
    now = [NOW]
    sink = make_sink(home, max_age_days=1, clock=lambda: now[0])
    sink.send([line(1, "old")])
    connection = sqlite3.connect(home / "traces.db", isolation_level=None)
    connection.execute("UPDATE traces SET day = -9")
    sink.send([line(2, "new")])
    assert connection.execute("SELECT count(*) FROM traces").fetchone() == (2,)
    now[0] -= 3601
    sink.send([line(3, "new")])
    assert connection.execute("SELECT count(*) FROM traces").fetchone() == (1,)
    connection.close()


@pytest.fixture
def older(home: Path) -> Iterator[sqlite3.Connection]:
    """Give a store of the version before days were counted."""
    home.mkdir(mode=0o700)
    connection = sqlite3.connect(home / "traces.db", isolation_level=None)
    for statement in (text for step in schema.STEPS[:2] for text in step):
        connection.execute(statement)
    connection.execute("PRAGMA user_version=2")
    (home / "traces.db").chmod(0o600)
    yield connection
    connection.close()


def test_an_older_stores_days_are_those_of_its_traces(home: Path, older: sqlite3.Connection, make_sink: MakeSink) -> None:
    """So its traces go in the order in which they came, and not at once."""
    for day in (0, 1, 1, 7, 9):
        older.execute(
            "INSERT INTO traces (trace_id, started_at, active_at, stored_at) VALUES (hex(randomblob(8)), '', '', ?)",
            (int(NOW + day * DAY),),
        )
    make_sink(home, max_age_days=2, clock=lambda: NOW + 400 * DAY).send([line(1, "new")])
    assert older.execute("SELECT day FROM traces ORDER BY day").fetchall() == [(2,), (2,), (3,), (4,), (5,)]
