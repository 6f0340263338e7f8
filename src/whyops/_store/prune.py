"""Keep the local store within its bounds: whole traces go, those without news for the longest time first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .schema import Connection, transaction

__all__ = ["Removed", "prune", "remove", "used_bytes"]

_TRACES_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_PAGES_GIVEN_BACK = 4096


@dataclass(frozen=True)
class Removed:
    """How many traces were removed, because of their age and for want of room."""

    for_age: int = 0
    for_room: int = 0


def prune(connection: Connection, *, max_bytes: int, stored_before: int) -> Removed:
    """Remove the traces whose last event came in before `stored_before` (seconds since 1970), then the oldest until the rest fits.

    Works in short transactions, so that other writers get their turn. With the store too full, a sixteenth is freed beyond the bound, so
    that this is not needed at every batch.
    """
    aged = "SELECT trace, bytes FROM traces WHERE stored_at < ? ORDER BY stored_at, trace"
    for_age = remove(connection, connection.execute(aged, (stored_before,)).fetchall())
    for_room = 0
    if used_bytes(connection) > max_bytes:
        for_room = _make_room(connection, max_bytes - max_bytes // 16, min(_BYTES_AT_ONCE, max_bytes // 64))
    connection.execute(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})").fetchall()
    return Removed(for_age, for_room)


def remove(connection: Connection, traces: Iterable[tuple[int, int]]) -> int:
    """Remove the traces, given by number and size in bytes, and return how many there were."""
    count = 0
    for group in _groups(traces, _BYTES_AT_ONCE):
        _remove_at_once(connection, group)
        count += len(group)
    return count


def used_bytes(connection: Connection) -> int:
    """Return how much of the store's file is in use."""
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _make_room(connection: Connection, target: int, bytes_at_once: int) -> int:
    oldest_first = connection.execute("SELECT trace, bytes FROM traces ORDER BY stored_at, trace").fetchall()
    count = 0
    for group in _groups(oldest_first, bytes_at_once):
        if used_bytes(connection) <= target:
            break
        _remove_at_once(connection, group)
        count += len(group)
    return count


def _groups(traces: Iterable[tuple[int, int]], bytes_at_once: int) -> Iterator[list[int]]:
    """Cut into groups that are each removed in a moment."""
    group: list[int] = []
    size = 0
    for trace, length in traces:
        if group and (len(group) == _TRACES_AT_ONCE or size + length > bytes_at_once):
            yield group
            group, size = [], 0
        group.append(trace)
        size += length
    if group:
        yield group


def _remove_at_once(connection: Connection, traces: Sequence[int]) -> None:
    with transaction(connection):
        for table in ("events", "tools", "failed_spans", "pushed", "traces"):
            connection.executemany(f"DELETE FROM {table} WHERE trace = ?", [(trace,) for trace in traces])  # noqa: S608 -- our own names
