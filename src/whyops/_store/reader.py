"""What the local store holds, for those who look at it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._wire.read import decode
from ..errors import TraceNotFoundError
from . import STORE_NAME

if TYPE_CHECKING:
    from .schema import Connection

_NAMED_AT_MOST = 5


@dataclass(frozen=True)
class TraceSummary:
    """One trace as a list shows it.

    `opening` is the first user message's event. Times are ISO 8601 in UTC with six digits of fraction. `tokens_in` includes cached
    tokens.
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
    """Which traces are wanted; what is left out selects all. `since` is ISO 8601 in UTC with six digits of fraction."""

    errors: bool = False
    external_user_id: str | None = None
    agent_name: str | None = None
    tool: str | None = None
    since: str | None = None

    def condition(self) -> tuple[str, list[str]]:
        """Return the selection as SQL, and its parameters."""
        parts, values = ["1"], []
        if self.errors:
            parts.append("errors > 0")
        for column, value in (("external_user_id = ?", self.external_user_id), ("agent_name = ?", self.agent_name)):
            if value is not None:
                parts.append(column)
                values.append(value)
        if self.tool is not None:
            parts.append("EXISTS (SELECT 1 FROM tools WHERE tools.trace = traces.trace AND tools.name = ?)")
            values.append(self.tool)
        if self.since is not None:
            parts.append("active_at >= ?")
            values.append(self.since)
        return " AND ".join(parts), values


EVERYTHING = Selection()


class StoreReader:
    """Reads `home/traces.db`, also while others write to it. A store that isn't there is one without traces."""

    def __init__(self, home: Path) -> None:
        self.path = Path(home) / STORE_NAME

    def summaries(self, selection: Selection = EVERYTHING, *, limit: int = -1, offset: int = 0) -> list[TraceSummary]:
        """Return the selected traces, the one that was active last first."""
        condition, values = selection.condition()
        query = f"""
            SELECT (SELECT line FROM events WHERE event = opening),
                trace_id, agent_name, external_user_id, started_at, active_at, events, calls, errors, tokens_in, tokens_out
            FROM traces WHERE {condition} ORDER BY active_at DESC, trace DESC LIMIT ? OFFSET ?
        """  # noqa: S608 -- the condition is put together from our own text
        with self._connected() as connection:
            rows = [] if connection is None else connection.execute(query, (*values, limit, offset)).fetchall()
        return [_summary(*row) for row in rows]

    def count(self, selection: Selection = EVERYTHING) -> int:
        """Return how many traces are selected."""
        condition, values = selection.condition()
        with self._connected() as connection:
            if connection is None:
                return 0
            return int(connection.execute(f"SELECT count(*) FROM traces WHERE {condition}", values).fetchone()[0])  # noqa: S608 -- as above

    def resolve(self, wanted: str) -> str:
        """Return the id of the one trace that is meant by an id, by the beginning of one, or by `last`.

        None or several is a `TraceNotFoundError`.
        """
        with self._connected() as connection:
            if connection is None or connection.execute("SELECT 1 FROM traces").fetchone() is None:
                raise TraceNotFoundError(f"No trace has been recorded in {self.path.parent} yet.")
            found = _matches(connection, wanted)
        if not found:
            raise TraceNotFoundError(f"No trace's id is or begins with {wanted!r}. `whyops list` shows those there are.")
        if len(found) > 1:
            names = ", ".join(found[:_NAMED_AT_MOST]) + (", …" if len(found) > _NAMED_AT_MOST else "")
            raise TraceNotFoundError(f"More than one trace's id begins with {wanted!r}: {names}")
        return found[0]

    def events(self, trace_id: str) -> list[dict[str, object]]:
        """Return the trace's events in the order in which they came in; none for an unknown id."""
        return [event for line in self.lines(trace_id) if (event := decode(line)) is not None]

    def lines(self, trace_id: str) -> list[bytes]:
        """Return the trace's event lines as they were recorded, in the order in which they came in."""
        query = "SELECT line FROM events JOIN traces USING (trace) WHERE trace_id = ? ORDER BY event"
        with self._connected() as connection:
            rows = [] if connection is None else connection.execute(query, (trace_id,)).fetchall()
        return [line for (line,) in rows]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection | None]:
        if not os.path.lexists(self.path):
            yield None
            return
        from . import schema  # noqa: PLC0415 -- loads SQLite, which a program that only records with a key never needs

        with contextlib.closing(schema.connect_to_read(self.path)) as connection, schema.told(self.path):
            yield connection


def _summary(opening: bytes | None, *columns: Any) -> TraceSummary:
    return TraceSummary(None if opening is None else decode(opening), *columns)


def _matches(connection: Connection, wanted: str) -> list[str]:
    """Return the ids that are meant: at most one more than an error names."""
    if wanted == "last":
        query, values = "SELECT trace_id FROM traces ORDER BY active_at DESC, trace DESC LIMIT 1", ()
        return [found for (found,) in connection.execute(query, values)]
    wanted = wanted.encode("utf-8", "backslashreplace").decode()
    exact = connection.execute("SELECT trace_id FROM traces WHERE trace_id = ?", (wanted,)).fetchall()
    if exact:
        return [wanted]
    wanted = wanted.removesuffix("…").removesuffix("...")  # as `whyops list` shows an id that it had to cut
    begins = "SELECT trace_id FROM traces WHERE substr(trace_id, 1, ?) = ? ORDER BY active_at DESC LIMIT ?"
    return [found for (found,) in connection.execute(begins, (len(wanted), wanted, _NAMED_AT_MOST + 1))] if wanted else []
