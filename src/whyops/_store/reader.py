"""The local store → traces and their events, read only."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._wire.objects import objects_in
from .._wire.read import RecordedEvent, decode
from .._wire.values import sqlite_text
from ..errors import TraceNotFoundError
from . import STORE_NAME

if TYPE_CHECKING:
    from sqlite3 import Connection

_NAMED_AT_MOST = 5
_COMPARED = 2000
"""With so many ids of the latest traces one that is not there is compared."""


class TraceSummary(NamedTuple):
    """One trace as a list shows it.

    `opening` is the event that tells what was asked: the first message of a user, else the first prompt, else the first event. Times are
    ISO 8601 in UTC with six digits of fraction. `tokens_in` includes cached tokens.
    """

    opening: dict[str, object] | None
    trace_id: str
    agent_name: str | None
    external_user_id: str | None
    started_at: str
    active_at: str
    events: int
    calls: int
    errors: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True)
class Selection:
    """Which traces to read; what is left out selects all. Times are ISO 8601 in UTC with six digits of fraction.

    An agent is the one that a trace was recorded for, or one that acted in it; a node, also the step of a workflow or a middleware.
    """

    errors: bool = False
    external_user_id: str | None = None
    agent_name: str | None = None
    tool: str | None = None
    node: str | None = None
    since: str | None = None
    until: str | None = None

    def condition(self) -> tuple[str, list[object]]:
        """Return the selection as SQL, and its parameters."""
        conditions = {
            "external_user_id = ?": self.external_user_id,
            "EXISTS (SELECT 1 FROM tools WHERE tools.trace = traces.trace AND tools.name = ?)": self.tool,
            "active_at >= ?": self.since,
            "active_at < ?": self.until,
        }
        given: dict[str, list[object]] = {condition: [sqlite_text(value)] for condition, value in conditions.items() if value is not None}
        if self.agent_name is not None:
            condition, values = _acts(self.agent_name, "agent")
            given[f"(agent_name = ? OR {condition})"] = [sqlite_text(self.agent_name), *values]
        if self.node is not None:
            condition, values = _acts(self.node, "place")
            given[condition] = values
        return " AND ".join(["errors > 0" if self.errors else "1", *given]), list(chain.from_iterable(given.values()))


EVERYTHING = Selection()

OPENING = """
    (SELECT line FROM events WHERE event = coalesce(opening, (SELECT min(event) FROM events WHERE events.trace = traces.trace)))
"""
"""The line of a trace's `opening`, as SQL."""


def _did_you_mean(wanted: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  (needed where something was mistyped)

    near = get_close_matches(wanted, list(names), 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _acts(name: str, kind: str) -> tuple[str, list[object]]:
    """Return the condition that an agent, or a place, of this name acts in a trace, as SQL, and its parameters.

    Only lines that hold the name where it may stand are read: of 20,000 traces that takes half a second, and storing them costs nothing
    for it.
    """
    texts = {json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]}
    marks = [f"{before}{text}" for text in texts for before in ((':"', ': "') if kind == "agent" else (':"', ': "', "/"))]
    holds = " OR ".join(["instr(line, ?)"] * len(marks))
    condition = f"EXISTS (SELECT 1 FROM events WHERE events.trace = traces.trace AND ({holds}) AND acts(line, ?, ?))"  # noqa: S608  (our own text)
    return condition, [*(mark.encode("utf-8", "replace") for mark in marks), sqlite_text(name), kind]


def _is_acting(line: bytes, name: str, kind: str) -> bool:
    """Tell whether an agent, or a place, of this name acts in an event."""
    actor = RecordedEvent(decode(line) or {}).actor
    return actor.agent == name if kind == "agent" else name in actor.places


class StoreReader:
    """Reads `home/traces.db`, also while other processes write to it. Where no store exists, there are no traces."""

    def __init__(self, home: Path) -> None:
        self.path = Path(home) / STORE_NAME

    def summaries(self, selection: Selection = EVERYTHING, *, limit: int = -1, offset: int = 0) -> list[TraceSummary]:
        """Return the selected traces, most recently active first."""
        condition, values = selection.condition()
        query = f"""
            SELECT {OPENING},
                trace_id, agent_name, external_user_id, started_at, active_at, events, calls, errors, tokens_in, tokens_out
            FROM traces WHERE {condition} ORDER BY active_at DESC, trace DESC LIMIT ? OFFSET ?
        """  # noqa: S608  (the condition is put together from our own text)
        rows = self._rows(query, *values, limit, offset)
        openings = objects_in([opening for opening, *_ in rows if opening is not None], decode)
        return [TraceSummary(None if opening is None else next(openings), *columns) for opening, *columns in rows]

    def trace_ids(self, selection: Selection = EVERYTHING) -> list[str]:
        """Return the ids of the selected traces, most recently active first."""
        condition, values = selection.condition()
        query = f"SELECT trace_id FROM traces WHERE {condition} ORDER BY active_at DESC, trace DESC"  # noqa: S608  (as above)
        return [trace_id for (trace_id,) in self._rows(query, *values)]

    def count(self, selection: Selection = EVERYTHING) -> int:
        """Return how many traces are selected."""
        condition, values = selection.condition()
        return sum(number for (number,) in self._rows(f"SELECT count(*) FROM traces WHERE {condition}", *values))  # noqa: S608  (as above)

    def resolve(self, wanted: str) -> str:
        """Return the id of the one trace that is meant by an id, by a prefix of one, or by `last`.

        Raises:
            TraceNotFoundError: None or several are meant.
        """
        found = self._matches(wanted)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(found[:_NAMED_AT_MOST]) + (", …" if len(found) > _NAMED_AT_MOST else "")
            raise TraceNotFoundError(f"More than one trace's id begins with {wanted!r}: {names}")
        if not self.count():
            raise TraceNotFoundError(f"No trace has been recorded in {self.path.parent} yet.")
        raise TraceNotFoundError(f"No trace's id is or begins with {wanted!r}.{self.meant(wanted)} `whyops list` shows those there are.")

    def meant(self, wanted: str) -> str:
        """Return a question that names the trace whose id is most like one that is not there; nothing if none is."""
        return _did_you_mean(
            wanted, (one for (one,) in self._rows("SELECT trace_id FROM traces ORDER BY active_at DESC LIMIT ?", _COMPARED))
        )

    def meant_tool(self, name: str) -> str:
        """Return a question that names the tool most like one that no trace has called; nothing if one has, or none is."""
        names = [one for (one,) in self._rows("SELECT DISTINCT name FROM tools")]
        return "" if sqlite_text(name) in names else _did_you_mean(name, names)

    def _matches(self, wanted: str) -> list[str]:
        """Return the ids that are meant: at most one more than an error names."""
        wanted = sqlite_text(wanted)
        beginning = wanted.removesuffix("…").removesuffix("...")  # as `whyops list` shows an id that it had to cut
        if wanted == "last":
            found = self._rows("SELECT trace_id FROM traces ORDER BY active_at DESC, trace DESC LIMIT 1")
        elif self._rows("SELECT 1 FROM traces WHERE trace_id = ?", wanted):
            return [wanted]
        else:
            query = "SELECT trace_id FROM traces WHERE substr(trace_id, 1, ?) = ? ORDER BY active_at DESC LIMIT ?"
            found = self._rows(query, len(beginning), beginning, _NAMED_AT_MOST + 1) if beginning else []
        return [trace_id for (trace_id,) in found]

    def events(self, trace_id: str) -> list[dict[str, object]]:
        """Return the trace's events in the order in which they came in; none for an unknown id."""
        return [event for event in objects_in(self.lines(trace_id), decode) if event is not None]

    def lines(self, trace_id: str) -> list[bytes]:
        """Return the trace's event lines as they were recorded, in the order in which they came in."""
        query = "SELECT line FROM events JOIN traces USING (trace) WHERE trace_id = ? ORDER BY event"
        return [line for (line,) in self._rows(query, trace_id)]

    def lines_of_each(self, trace_ids: Iterable[str]) -> Iterator[bytes]:
        """Yield the event lines of traces, trace by trace, as `lines` returns them, each trace in a transaction of its own."""
        query = "SELECT line FROM events WHERE trace = (SELECT trace FROM traces WHERE trace_id = ?) ORDER BY event"
        with self._connected() as connection:
            if connection is None:
                return
            for trace_id in trace_ids:
                yield from (line for (line,) in connection.execute(query, (trace_id,)).fetchall())

    def last_event(self) -> int:
        """Return the number of the event that came in last; 0 if there is none."""
        return max((number or 0 for (number,) in self._rows("SELECT max(event) FROM events")), default=0)

    def lines_after(self, event: int) -> tuple[list[bytes], int]:
        """Return the lines that came in after an event, and the number of the last; numbers of removed events may be given again."""
        found = self._rows("SELECT event, line FROM events WHERE event > ? ORDER BY event", event)
        return [line for _, line in found], found[-1][0] if found else min(event, self.last_event())

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds; none where no store exists."""
        with self._connected() as connection:
            return [] if connection is None else connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection | None]:
        """Open the store for the block; None where no store exists."""
        if not os.path.lexists(self.path):
            yield None
            return
        from . import schema  # noqa: PLC0415  (loads SQLite, which a program that only records with a key never needs)

        with contextlib.closing(schema.connect_to_read(self.path)) as connection, schema.as_store_errors(self.path):
            connection.create_function("acts", 3, _is_acting, deterministic=True)
            yield connection
