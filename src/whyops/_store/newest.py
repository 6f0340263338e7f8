"""The local store → its traces newest first, slice by slice, so that a search finds something before it has read all. Read only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .._wire.read import decode
from .reader import EVERYTHING, OPENING, Selection, StoreReader, TraceSummary

MOST_AT_ONCE = 800
"""Values in one question; older builds of SQLite take 999."""
_ESCAPE = "!"


class Position(NamedTuple):
    """A trace's place in the order: when it was last active, and its number in the store."""

    active_at: str
    trace: int


BEGINNING = Position("~", 0)
"""Before the newest trace: no time begins with this letter."""


class Placed(NamedTuple):
    """A trace in the order, and how many bytes its events have."""

    position: Position
    bytes: int


class NewestFirst(StoreReader):
    """Reads the store a slice at a time. Each question is a short transaction of its own: none keeps a writer's log from being emptied."""

    def slice(self, selection: Selection = EVERYTHING, *, after: Position = BEGINNING, most: int) -> list[Placed]:
        """Return the next traces that are selected."""
        condition, values = selection.condition()
        query = f"""
            SELECT active_at, trace, bytes FROM traces WHERE (active_at, trace) < (?, ?) AND {condition}
            ORDER BY active_at DESC, trace DESC LIMIT ?
        """  # noqa: S608  (the condition is put together from our own text)
        rows = self._rows(query, *after, *values, most)
        return [Placed(Position(active_at, trace), size) for active_at, trace, size in rows]

    def holding(self, traces: Sequence[int], texts: Iterable[str]) -> dict[int, list[bytes]]:
        """Return those of the traces that have one of the texts in a line, each with these lines. ASCII letters match in either case."""
        patterns = [f"%{_escaped(text)}%" for text in texts]
        matches = " OR ".join([f"CAST(line AS TEXT) LIKE ? ESCAPE '{_ESCAPE}'"] * len(patterns))  # a BLOB matches in some builds only
        query = f"SELECT trace, line FROM events WHERE ({matches}) AND trace IN (%s) ORDER BY event"  # noqa: S608  (as above)
        return _by_trace(self._in_parts(query, traces, *patterns))

    def summaries_of(self, traces: Sequence[int]) -> dict[int, TraceSummary]:
        """Return traces by their numbers."""
        query = f"""
            SELECT trace, {OPENING},
                trace_id, agent_name, external_user_id, started_at, active_at, events, calls, errors, tokens_in, tokens_out
            FROM traces WHERE trace IN (%s)
        """  # noqa: S608  (our own text)
        return {
            trace: TraceSummary(None if opening is None else decode(opening), *columns)
            for trace, opening, *columns in self._in_parts(query, traces)
        }

    def tools_of(self, traces: Sequence[int]) -> dict[int, list[str]]:
        """Return the names of the tools that traces called, by the traces' numbers."""
        return _by_trace(self._in_parts("SELECT trace, name FROM tools WHERE trace IN (%s) ORDER BY name", traces))

    def numbers_of(self, trace_ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of those of the traces that are in the store, by their ids."""
        return dict(self._in_parts("SELECT trace_id, trace FROM traces WHERE trace_id IN (%s)", trace_ids))

    def stored_keys(self, trace: int, keys: Sequence[str]) -> set[str]:
        """Return those of the idempotency keys that events of the trace have."""
        query = "SELECT idempotency_key FROM events WHERE trace = ? AND idempotency_key IN (%s)"
        return {key for (key,) in self._in_parts(query, keys, trace)}

    def names(self, recent: int) -> tuple[list[str], list[str], list[str]]:
        """Return the agents, users and tools that so many of the most recently active traces name, sorted."""
        latest = "(SELECT * FROM traces ORDER BY active_at DESC, trace DESC LIMIT ?)"
        queries = (
            f"SELECT DISTINCT agent_name FROM {latest} WHERE agent_name IS NOT NULL ORDER BY 1",  # noqa: S608  (our own text)
            f"SELECT DISTINCT external_user_id FROM {latest} WHERE external_user_id IS NOT NULL ORDER BY 1",  # noqa: S608  (as above)
            f"SELECT DISTINCT name FROM tools WHERE trace IN (SELECT trace FROM {latest}) ORDER BY 1",  # noqa: S608  (as above)
        )
        agents, users, tools = ([name for (name,) in self._rows(query, recent)] for query in queries)
        return agents, users, tools

    def latest_lines(self, most: int) -> list[bytes]:
        """Return the event lines that came in last."""
        return [line for (line,) in self._rows("SELECT line FROM events ORDER BY event DESC LIMIT ?", most)]

    def _in_parts(self, query: str, wanted: Sequence[int | str], *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows for a query that has `%s` where the values stand of which a row's must be one; as many questions as it takes."""
        for at in range(0, len(wanted), MOST_AT_ONCE):
            part = wanted[at : at + MOST_AT_ONCE]
            yield from self._rows(query.replace("%s", ",".join("?" * len(part))), *values, *part)


def _by_trace(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for trace, value in rows:
        found[trace].append(value)
    return found


def _escaped(text: str) -> str:
    for letter in (_ESCAPE, "%", "_"):
        text = text.replace(letter, _ESCAPE + letter)
    return text
