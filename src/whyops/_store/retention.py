"""Keep the local store within its bounds: whole traces go, those without news for the longest time first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .schema import Connection, transaction

Trace = tuple[int, int]
"""A trace's number and size in bytes."""

_TRACES_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_PAGES_GIVEN_BACK = 4096


@dataclass(frozen=True)
class Removed:
    """How many traces were removed, because of their age and for want of room."""

    for_age: int = 0
    for_room: int = 0


def prune(connection: Connection, *, max_bytes: int, max_age_days: int) -> Removed:
    """Remove the traces that are out of date, then the oldest until the rest fits. 0 is no bound.

    A trace's age is the number of days on which something was written, after the day of its last event, and without the latest of them:
    one run with a wrong clock adds but that one. It is out of date if it is older than `max_age_days`. Works in short transactions, so
    that other writers get their turn. With the store too full, a sixteenth is freed beyond the bound, so that this is not needed at every
    batch.
    """
    for_age = for_room = 0
    if max_age_days:
        aged = "SELECT trace, bytes FROM traces WHERE day < (SELECT max(number) FROM days) - 1 - ? ORDER BY day, stored_at, trace"
        for_age = remove(connection, connection.execute(aged, (max_age_days,)).fetchall())
    if max_bytes and used_bytes(connection) > max_bytes:
        for_room = len(make_room(connection, max_bytes - max_bytes // 16, min(_BYTES_AT_ONCE, max_bytes // 64)))
    give_back(connection, _PAGES_GIVEN_BACK)
    return Removed(for_age, for_room)


def remove(connection: Connection, traces: Iterable[Trace]) -> int:
    """Remove the traces, and return how many there were."""
    count = 0
    for group in _groups(traces, _BYTES_AT_ONCE):
        with transaction(connection):
            for trace, _ in group:
                _remove_one(connection, trace)
        count += len(group)
    return count


def make_room(connection: Connection, target: int, bytes_at_once: int = _BYTES_AT_ONCE) -> list[Trace]:
    """Remove the oldest traces, one by one, until no more than `target` bytes are in use; return them."""
    oldest_first = connection.execute("SELECT trace, bytes FROM traces ORDER BY day, stored_at, trace").fetchall()
    removed: list[Trace] = []
    for group in _groups(oldest_first, bytes_at_once):
        with transaction(connection):
            for trace in group:
                if used_bytes(connection) <= target:
                    return removed
                _remove_one(connection, trace[0])
                removed.append(trace)
    return removed


def give_back(connection: Connection, most_pages: int = 0) -> None:
    """Make the file smaller by what is not in use: so many pages at most, or all (0)."""
    connection.executescript(f"PRAGMA incremental_vacuum({most_pages})")  # `execute` stops after one page


def used_bytes(connection: Connection) -> int:
    """Return how much of the store's file is in use."""
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _groups(traces: Iterable[Trace], bytes_at_once: int) -> Iterator[list[Trace]]:
    """Cut into groups that are each removed in a moment."""
    group: list[Trace] = []
    size = 0
    for trace, length in traces:
        if group and (len(group) == _TRACES_AT_ONCE or size + length > bytes_at_once):
            yield group
            group, size = [], 0
        group.append((trace, length))
        size += length
    if group:
        yield group


def _remove_one(connection: Connection, trace: int) -> None:
    for table in ("events", "tools", "failed_spans", "pushed", "traces"):
        connection.execute(f"DELETE FROM {table} WHERE trace = ?", (trace,))  # noqa: S608 -- our own names
