"""What is removed from the local store, always whole traces: by its limits, those inactive for longest first, and on request."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from .._wire.read import RecordedEvent, decode
from . import STORE_NAME, schema
from .groups import groups
from .schema import Connection, transaction

Trace = tuple[int, int]
"""A trace's number and size in bytes."""

_TRACES_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_PAGES_GIVEN_BACK = 4096


@dataclass(frozen=True)
class PruneFilter:
    """Which traces to remove: those that match any of these.

    `stored_before` is in seconds since 1970, by arrival of a trace's last event. `max_bytes` limits the store's size: beyond it
    the oldest are removed. A trace is a user's if any of its events names that user.
    """

    trace_ids: Collection[str] = ()
    user: str | None = None
    stored_before: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be."""

    trace_ids: tuple[str, ...] = ()
    bytes: int = 0


def prune(home: Path, wanted: PruneFilter, *, dry_run: bool = False) -> Pruned:
    """Remove the traces, so that nothing of them is left in the file; `dry_run` only returns which."""
    path = Path(home) / STORE_NAME
    if not os.path.lexists(path):
        return Pruned()
    with contextlib.closing(schema.connect_to_write(path)) as connection, schema.as_store_errors(path):
        names = dict(connection.execute("SELECT trace, trace_id FROM traces").fetchall())
        if dry_run:
            connection.execute("BEGIN IMMEDIATE")
            removed = _remove_matching(connection, wanted)
            connection.execute("ROLLBACK")
        else:
            connection.execute("PRAGMA secure_delete=ON")
            removed = _remove_matching(connection, wanted)
            _give_back(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Pruned(tuple(names[trace] for trace, _ in removed if trace in names), sum(size for _, size in removed))


def enforce_limits(connection: Connection, *, max_bytes: int, max_age_days: int) -> tuple[int, int]:
    """Remove the traces that are older than `max_age_days`, then the oldest until the rest fits. Returns how many of each; 0 is no limit.

    A trace's age is the number of days on which something was written, after the day of its last event, and without the latest of them:
    one run with a wrong clock adds only that one. Works in short transactions, so that other processes can write in between. In a store
    that is too large, a sixteenth is freed beyond the limit, so that this is not needed at every batch.
    """
    query = "SELECT trace, bytes FROM traces WHERE day < (SELECT max(number) FROM days) - 1 - ? ORDER BY day, stored_at, trace"
    aged = _remove(connection, connection.execute(query, (max_age_days,)).fetchall()) if max_age_days else []
    is_full = max_bytes and used_bytes(connection) > max_bytes
    oldest = _make_room(connection, max_bytes - max_bytes // 16, min(_BYTES_AT_ONCE, max_bytes // 64)) if is_full else []
    _give_back(connection, _PAGES_GIVEN_BACK)
    return len(aged), len(oldest)


def used_bytes(connection: Connection) -> int:
    """Return how much of the store's file is in use."""
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _remove_matching(connection: Connection, wanted: PruneFilter) -> list[Trace]:
    """Remove what matches, then the oldest while the rest is too large; return all that was removed."""
    removed = _remove(connection, sorted(_matching(connection, wanted)))
    return removed if wanted.max_bytes is None else [*removed, *_make_room(connection, wanted.max_bytes)]


def _matching(connection: Connection, wanted: PruneFilter) -> set[Trace]:
    queries: list[tuple[str, object]] = [("trace_id = ?", trace_id) for trace_id in wanted.trace_ids]
    if wanted.stored_before is not None:
        queries.append(("stored_at < ?", wanted.stored_before))
    if wanted.user is not None:
        queries += [("external_user_id = ?", wanted.user), *(("trace = ?", trace) for trace in _naming(connection, wanted.user))]
    found: set[Trace] = set()
    for condition, value in queries:
        found.update(connection.execute(f"SELECT trace, bytes FROM traces WHERE {condition}", (value,)).fetchall())  # noqa: S608  (our own text)
    return found


def _naming(connection: Connection, user: str) -> set[int]:
    """Return the other traces with an event of this user: they have another first one.

    A line that escapes nothing has the name as it is, in quotes; only such lines are read, and those that escape something.
    """
    query = """
        SELECT trace, line FROM events
        WHERE instr(line, CAST('externalUserId' AS BLOB)) AND (instr(line, ?) OR instr(line, CAST('\\' AS BLOB)))
        AND trace NOT IN (SELECT trace FROM traces WHERE external_user_id = ?)
    """
    lines = connection.execute(query, (f'"{user}"'.encode("utf-8", "replace"), user))
    return {trace for trace, line in lines if RecordedEvent(decode(line) or {}).external_user_id == user}


def _make_room(connection: Connection, target: int, bytes_at_once: int = _BYTES_AT_ONCE) -> list[Trace]:
    """Remove the oldest traces, one by one, until no more than `target` bytes are in use; return them."""
    oldest_first = "SELECT trace, bytes FROM traces ORDER BY day, stored_at, trace"
    return _remove(connection, connection.execute(oldest_first).fetchall(), target, bytes_at_once)


def _remove(connection: Connection, traces: Iterable[Trace], target: int = -1, bytes_at_once: int = _BYTES_AT_ONCE) -> list[Trace]:
    """Remove the traces in turn, as long as more than `target` bytes are in use (-1: all of them); return those that were removed."""
    removed: list[Trace] = []
    for group in groups(traces, itemgetter(1), _TRACES_AT_ONCE, bytes_at_once):
        with transaction(connection):
            for trace in group:
                if target >= 0 and used_bytes(connection) <= target:
                    return removed
                for table in ("events", "tools", "spans", "pushed", "traces"):
                    connection.execute(f"DELETE FROM {table} WHERE trace = ?", trace[:1])  # noqa: S608  (our own names)
                removed.append(trace)
    return removed


def _give_back(connection: Connection, most_pages: int = 0) -> None:
    """Make the file smaller by what is not in use: by at most so many pages, or by all of it (0)."""
    connection.executescript(f"PRAGMA incremental_vacuum({most_pages})")  # `execute` stops after one page
