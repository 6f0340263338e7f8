"""Remove from the local store what somebody asks to be removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from . import schema
from .retention import Trace, give_back, make_room, remove
from .row import decode
from .schema import Connection
from .sink import STORE_NAME


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
    if not os.path.lexists(path):
        return Tidied()
    with contextlib.closing(schema.connect_to_write(path)) as connection, schema.told(path):
        names = dict(connection.execute("SELECT trace, trace_id FROM traces").fetchall())
        if dry_run:
            connection.execute("BEGIN IMMEDIATE")
            removed = _remove(connection, unwanted)
            connection.execute("ROLLBACK")
        else:
            connection.execute("PRAGMA secure_delete=ON")
            removed = _remove(connection, unwanted)
            give_back(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Tidied(tuple(names[trace] for trace, _ in removed if trace in names), sum(size for _, size in removed))


def _remove(connection: Connection, unwanted: Unwanted) -> list[Trace]:
    """Remove what is named, then the oldest while the rest takes up too much; return all of it."""
    named = sorted(_matching(connection, unwanted).items())
    remove(connection, named)
    return named if unwanted.max_bytes is None else [*named, *make_room(connection, unwanted.max_bytes)]


def _matching(connection: Connection, unwanted: Unwanted) -> dict[int, int]:
    found: dict[int, int] = {}
    for trace_id in unwanted.trace_ids:
        found.update(connection.execute("SELECT trace, bytes FROM traces WHERE trace_id = ?", (trace_id,)).fetchall())
    if unwanted.stored_before is not None:
        found.update(connection.execute("SELECT trace, bytes FROM traces WHERE stored_at < ?", (unwanted.stored_before,)).fetchall())
    if unwanted.user is not None:
        found.update(_of_user(connection, unwanted.user))
    return found


def _of_user(connection: Connection, user: str) -> list[Trace]:
    own = {trace for (trace,) in connection.execute("SELECT trace FROM traces WHERE external_user_id = ?", (user,))}
    for trace, line in connection.execute("SELECT trace, line FROM events WHERE instr(line, CAST('externalUserId' AS BLOB))"):
        if trace not in own and (decode(line) or {}).get("externalUserId") == user:
            own.add(trace)
    return [(trace, size) for trace, size in connection.execute("SELECT trace, bytes FROM traces") if trace in own]
