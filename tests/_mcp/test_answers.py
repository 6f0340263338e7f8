"""What the tools answer, where it needs no client to see it."""

from __future__ import annotations

from pathlib import Path

from tests._cli.test_commands import store
from tests._listing.waiting import wait_in
from tests._render.recordings import Run
from whyops._mcp.answers import Answers, query_of
from whyops._outbox.file_outbox import FileOutbox

EVERYTHING = {"errors": False, "user": "", "tool": "", "agent": "", "node": "", "since": "", "until": "", "limit": 5, "cursor": ""}


def said(number: int, text: str) -> Run:
    run = Run(f"run-{number}")
    run.user(text)
    for event in run.events:
        event |= {"timestamp": f"2026-11-23T{number // 60:02d}:{number % 60:02d}:00.000000Z", "idempotencyKey": f"{number}"}
    return run


def test_a_search_that_takes_too_long(home: Path) -> None:
    """It says how far it got, and with what to go on; it does not say that there is nothing."""
    store(home, *(said(number, "a rare pelican" if number == 0 else "nothing") for number in range(70)))
    answers = Answers(home, seconds=0)
    first = answers.traces(query_of(text="pelican", **EVERYTHING), 4000)
    assert "None so far, in 64 traces looked through.\nMore: ask again with cursor [" in first
    cursor = first.partition("cursor ")[2].partition("\n")[0]
    assert "- run-0: " in answers.traces(query_of(text="pelican", **{**EVERYTHING, "cursor": cursor}), 4000)


def test_what_waits_is_there(home: Path, outbox: FileOutbox) -> None:
    """A run whose events nobody has delivered yet is listed, found and shown."""
    wait_in(outbox, said(1, "a rare pelican"))
    answers = Answers(home)
    assert "- run-1: " in answers.traces(query_of(text="pelican", **EVERYTHING), 4000)
    assert "a rare pelican" in answers.trace("last", 4000)
