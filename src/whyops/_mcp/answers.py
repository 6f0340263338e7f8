"""What each tool of the server answers: texts made of the traces below a home, framed as recorded material. Reads only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from pathlib import Path

from .._find import find_trace
from .._listing.listing import Listing
from .._listing.moments import moment_of, sortable_moment
from .._listing.query import Cursor, Query
from .._listing.row import Row
from .._listing.search import Wanted
from .._printable import counted, printable
from .._render.format import bytes_text, duration_text, time_text
from .._render.markdown import render_brief
from .._render.prompt_text import call_lines, prompt_lines
from .._render.terminal.diff import render_diff
from .._service.reader import ServiceReader
from .._store.reader import Selection
from .._trace.recorded import RecordedTrace
from .._wire.recorded_time import microseconds
from ..errors import WhyOpsError
from .frame import beginning, both_ends, cut, fits, framed, inside

MOST_TRACES = 100
SEARCH_SECONDS = 4.0
_DIFF_COLUMNS = 100
_HEAD = 150
"""Tokens for the lines above a list."""
_MOST_ASKED, _MOST_OF_A_NAME, _MOST_TOOLS = 200, 60, 8
_MOST_OF_A_ROW = 400
"""In tokens."""
_LIMITS = (None, 8000, 4000, 2000, 1000, 500, 250, 120, 60)
"""How long the texts of a prompt may be, until all messages fit."""


class Answers:
    """Answers for the traces below `home`; with a reader for the service, a trace is also looked for there.

    Each answer has at most `budget` tokens, by our estimate, the frame among them; a search goes on for so many seconds at most. What can't
    be answered is a `WhyOpsError`.
    """

    def __init__(self, home: Path, service: ServiceReader | None = None, seconds: float = SEARCH_SECONDS) -> None:
        self._home = home
        self._service = service
        self._listing = Listing(home, seconds)

    def traces(self, query: Query, budget: int) -> str:
        """Return the traces that a query selects, newest first, a line each; where a text was searched, with the words around it."""
        page = self._listing.page(query)
        room = inside(budget) - _HEAD
        rows = [cut(_row_text(row), min(room, _MOST_OF_A_ROW)) for row in page.rows]
        while len(rows) > 1 and not fits("\n".join(rows), room):
            rows.pop()
        if len(rows) < len(page.rows):
            page = self._listing.page(replace(query, limit=len(rows)))  # where these end, the next page begins
        none = "No such trace here." if page.cursor is None else f"None so far, in {counted(page.looked_at, 'trace')} looked through."
        head = [f"{counted(len(rows), 'trace')}, most recently active first." if rows else none]
        head += [] if page.cursor is None else [f"More: ask again with cursor {printable(page.cursor.text())}"]
        unread = self._listing.unread_bytes
        head += [f"{bytes_text(unread)} of events that wait to be stored were too much to look through."] if unread else []
        return framed(beginning("\n".join([*head, *rows]), inside(budget)))

    def trace(self, trace_id: str, budget: int) -> str:
        """Return a trace's decision path, as `whyops show --for-llm` writes it."""
        return framed(beginning(render_brief(self._load(trace_id), budget=inside(budget)), inside(budget)))

    def prompt(self, trace_id: str, call: int, budget: int) -> str:
        """Return the prompt of a call of a model, by its number from 1; with 0 the calls, a line each."""
        trace = self._load(trace_id)
        calls = trace.model_calls
        if not calls:
            raise WhyOpsError(f"Trace {trace.trace_id!r} has no recorded call of a model.")
        if call == 0:
            return framed(beginning(both_ends(list(call_lines(trace)), inside(budget), "call"), inside(budget)))
        if not 0 < call <= len(calls):
            raise WhyOpsError(f"Trace {trace.trace_id!r} has {counted(len(calls), 'call')} of models, numbered from 1.")
        parts = next(
            (parts for most in _LIMITS[:-1] if fits("\n".join(parts := prompt_lines(calls[call - 1], call, most)), inside(budget))),
            prompt_lines(calls[call - 1], call, _LIMITS[-1]),
        )
        return framed(beginning(both_ends(parts, inside(budget), "message"), inside(budget)))

    def difference(self, first: str, second: str, budget: int) -> str:
        """Return where two traces part, as `whyops diff` shows it."""
        traces = self._load(first), self._load(second)
        text = render_diff(*traces, width=_DIFF_COLUMNS, color=False, zone=timezone.utc)
        return framed(beginning(text, inside(budget)))

    def _load(self, trace_id: str) -> RecordedTrace:
        return find_trace(trace_id, self._home, self._service)


def query_of(
    *, text: str, errors: bool, user: str, tool: str, agent: str, node: str, since: str, until: str, limit: int, cursor: str
) -> Query:
    """Return the question for a page of the list; an empty text selects all.

    Raises:
        WhyOpsError: A time can't be read.
    """
    selection = Selection(
        errors=errors,
        external_user_id=user or None,
        tool=tool or None,
        agent_name=agent or None,
        since=_moment("since", since),
        until=_moment("until", until),
    )
    return Query(selection, tuple(Wanted.all_of(text.strip(), node)), Cursor.of(cursor), min(max(limit, 1), MOST_TRACES))


def _moment(name: str, text: str) -> str | None:
    moment = moment_of(text) if text else None
    if text and moment is None:
        raise WhyOpsError(f"{name}: {text!r} is neither a length of time such as 12h nor a date such as 2026-11-20.")
    return sortable_moment(moment)


def _row_text(row: Row) -> str:
    started, active = microseconds(row.started_at), microseconds(row.active_at)
    took = None if started is None or active is None else (active - started) / 1000
    who = [f"{name} {value}" for name, value in (("agent", row.agent_name), ("user", row.external_user_id)) if value]
    counts = [counted(row.events, "event"), counted(row.calls or 0, "tool call"), counted(row.errors, "error")]
    facts = [time_text(active, timezone.utc), duration_text(took), *who, *counts, f"{row.tokens:,} tokens" if row.tokens else ""]
    words = [f"- {row.trace_id}: {', '.join(filter(None, facts))}"]
    found = row.found
    if found is not None and found.match:
        words.append(f"found in {found.where[:_MOST_OF_A_NAME]}: {found.before}{found.match}{found.after}")
    tools = [name[:_MOST_OF_A_NAME] for name in row.tools]
    words += [f"tools {', '.join(tools[:_MOST_TOOLS])}{', …' if len(tools) > _MOST_TOOLS else ''}"] if tools else []
    words += [f"asked: {' '.join(row.asked.split())[:_MOST_ASKED]}"] if row.asked else []
    return printable("; ".join(words))
