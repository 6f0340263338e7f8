"""Several traces as a table."""

from __future__ import annotations

import re

import pytest

from whyops._render.terminal.trace_table import ListedTrace, render_list
from whyops._render.terminal.width import width_of

NOW = 1_795_460_000.0  # Mon 23 Nov 2026 18:53:20 UTC
SECOND = 1_000_000


def listed(number: int = 0, **more: object) -> ListedTrace:
    values: dict[str, object] = {
        "trace_id": f"checkout-{number:04d}",
        "agent_name": "support",
        "external_user_id": f"user_{number}",
        "active_at": int((NOW - number * 40_000) * SECOND),
        "duration_ms": 1500.0 * number,
        "events": 4 * number,
        "calls": number,
        "errors": number % 2,
        "tokens": number * 900,
        "asked": "Where is my parcel? It was to come yesterday." * (number % 3),
    }
    return ListedTrace(**{**values, **more})  # type: ignore[arg-type]


def table(*traces: ListedTrace, width: int | None = 100, total: int | None = None, **options: object) -> str:
    return render_list(traces, total or len(traces), width=width, color=False, now=NOW, **options)  # type: ignore[arg-type]


def test_the_table() -> None:
    """One line each: id, when, user, events, tools, errors, tokens, time, and how the user began."""
    assert table(*(listed(number) for number in range(4)), listed(4, active_at=1, trace_id="old"), width=108) == (
        "TRACE          WHEN          USER    EVENTS  TOOLS  ERR  TOKENS    TOOK  ASKED\n"
        "checkout-0000  18:53:20      user_0       0      0\n"
        "checkout-0001  07:46:40      user_1       4      1    1     900  1.50 s  Where is my parcel? It was to come…\n"
        "checkout-0002  22 Nov 20:40  user_2       8      2        1,800  3.00 s  Where is my parcel? It was to come…\n"
        "checkout-0003  22 Nov 09:33  user_3      12      3    1   2,700  4.50 s\n"
        "old            1970-01-01    user_4      16      4        3,600  6.00 s  Where is my parcel? It was to come…\n"
    )


@pytest.mark.parametrize("width", [None, 40, 60, 80, 110, 200])
@pytest.mark.parametrize("name", ["support", "東京", "a name that is too long for its column " * 3])
def test_colour_changes_nothing_else(name: str, width: int | None) -> None:
    """A row is set in one piece without colour, and cell by cell with it: the text is the same."""
    traces = [listed(number, agent_name=f"{name}{number}", trace_id=name * number) for number in range(4)]
    colored = render_list(traces, 9, width=width, color=True, now=NOW)
    assert "\x1b[" in colored
    plain = re.sub(r"\x1b\[[\d;]*m", "", colored)
    assert [line.rstrip() for line in plain.splitlines()] == table(*traces, width=width, total=9).splitlines()


@pytest.mark.parametrize("width", [40, 50, 60, 80, 100, 110, 200])
def test_it_fits(width: int) -> None:
    """At any width that holds an id and a time, lines fit; what matters least gives way first."""
    traces = [
        listed(number, trace_id="東京-" * 20 + str(number), external_user_id="u" * 90, agent_name=f"a{number}") for number in range(4)
    ]
    lines = table(*traces, width=width).splitlines()
    assert max(map(width_of, lines)) <= width
    assert [title for title in ("TRACE", "WHEN", "ERR") if title not in lines[0]] == []
    assert ("USER" in lines[0]) == (width >= 60)
    assert ("ASKED" in lines[0]) == (width >= 100)


def test_agents_are_told_apart_where_there_are_several() -> None:
    """The agent's column is there if the traces are of more than one."""
    assert "AGENT" not in table(listed(1), listed(2))
    assert "AGENT" in table(listed(1), listed(2, agent_name="billing"))


def test_piped_nothing_is_cut() -> None:
    """Without a width, ids are whole and times are written out, for other programs to read."""
    text = table(listed(2, trace_id="x" * 300), width=None, total=9)
    assert "x" * 300 in text
    assert "2026-11-22 20:40:00" in text
    assert len(text.splitlines()) == 2


def test_more_than_are_shown() -> None:
    """The list says that there is more, and how to see it."""
    assert table(listed(1), total=1234, next_page=2).splitlines()[-1] == "1 of 1,234 traces: --page 2 shows the next, --all all"
    assert table(listed(1), total=1234).splitlines()[-1] == "1 of 1,234 traces"
    assert len(table(listed(1), total=1).splitlines()) == 2


def test_hostile_names() -> None:
    """Nothing in a name or a message does anything to the terminal."""
    evil = "\x1b[2J\u202e\r\n\x00"
    text = table(listed(1, trace_id=evil, external_user_id=evil, agent_name=evil, asked=evil), listed(2), width=None)
    assert [char for char in text if not char.isprintable() and char != "\n"] == []
    assert len(text.splitlines()) == 3


def test_a_stream_that_can_say_little() -> None:
    """Where the encoding has no ellipsis, dots stand for it, and other letters become escapes."""
    assert table(listed(2, asked="ä" * 90), encoding="ascii").isascii()


@pytest.mark.parametrize("active_at", [None, 10**18])
def test_a_time_that_is_none(active_at: int | None) -> None:
    """A time that is missing or not of this world leaves its cell empty."""
    assert table(listed(1, active_at=active_at)).splitlines()[1].startswith("checkout-0001        ")
