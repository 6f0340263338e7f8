"""Remove from the local store what somebody asks to be removed."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from . import schema
from .prune import remove, used_bytes
from .row import decode
from .schema import Connection
from .sink import STORE_NAME

__all__ = ["Tidied", "Unwanted", "tidy"]

Trace = tuple[int, int]
"""A trace's number and size in bytes."""


@dataclass(frozen=True)
class Unwanted:
    """Which traces are to go: those that match any of these.

    `stored_before` is in seconds since 1970, by arrival of a trace's last event. `max_bytes` is what the store may take up: beyond it
    the oldest go. A trace is a user's if any of its events names that user.
    """

    trace_ids: Collection[str] = ()
    user: str | None = None
    stored_before: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class Tidied:
    """What was removed, or would be."""

    trace_ids: tuple[str, ...] = ()
    bytes: int = 0


def tidy(home: Path, unwanted: Unwanted, *, dry_run: bool = False) -> Tidied:
    """Remove the traces, so that nothing of them is left in the file; `dry_run` only tells which."""
    path = Path(home) / STORE_NAME
    if not path.exists():
        return Tidied()
    with contextlib.closing(schema.connect_to_write(path)) as connection, schema.told(path):
        traces = _matching(connection, unwanted)
        names = dict(connection.execute("SELECT trace, trace_id FROM traces").fetchall())
        if not dry_run and traces:
            connection.execute("PRAGMA secure_delete=ON")
            remove(connection, sorted(traces.items()))
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Tidied(tuple(names[trace] for trace in traces), sum(traces.values()))


def _matching(connection: Connection, unwanted: Unwanted) -> dict[int, int]:
    found: dict[int, int] = {}
    for trace_id in unwanted.trace_ids:
        found.update(connection.execute("SELECT trace, bytes FROM traces WHERE trace_id = ?", (trace_id,)).fetchall())
    if unwanted.stored_before is not None:
        found.update(connection.execute("SELECT trace, bytes FROM traces WHERE stored_at < ?", (unwanted.stored_before,)).fetchall())
    if unwanted.user is not None:
        found.update(_of_user(connection, unwanted.user))
    if unwanted.max_bytes is not None:
        found.update(_beyond(connection, unwanted.max_bytes, found))
    return found


def _of_user(connection: Connection, user: str) -> list[Trace]:
    own = {trace for (trace,) in connection.execute("SELECT trace FROM traces WHERE external_user_id = ?", (user,))}
    for trace, line in connection.execute("SELECT trace, line FROM events WHERE instr(line, CAST('externalUserId' AS BLOB))"):
        if trace not in own and (decode(line) or {}).get("externalUserId") == user:
            own.add(trace)
    return [(trace, size) for trace, size in connection.execute("SELECT trace, bytes FROM traces") if trace in own]


def _beyond(connection: Connection, max_bytes: int, gone: dict[int, int]) -> list[Trace]:
    """Return the oldest traces without which the rest takes up no more than `max_bytes`."""
    excess = used_bytes(connection) - sum(gone.values()) - max_bytes
    found = []
    for trace, size in connection.execute("SELECT trace, bytes FROM traces ORDER BY stored_at, trace"):
        if excess <= 0:
            break
        if trace not in gone:
            found.append((trace, size))
            excess -= size
    return found
