"""The tables of the local store, the steps from each older version to the newest, and how its file is opened.

Importing this module loads SQLite, so the sink and the reader do it when they are first used.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from operator import methodcaller
from pathlib import Path

from .._runtime.private_files import NotOurs, check_file, make_folder
from ..errors import StoreError

Connection = sqlite3.Connection

BUSY_SECONDS = 10.0
_MAX_LOG_BYTES = 8_000_000

# A step that was released is never changed: a later version adds one.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE traces (
            trace INTEGER PRIMARY KEY,
            trace_id TEXT NOT NULL UNIQUE,
            agent_name TEXT,                     -- the first one given; so is the user
            external_user_id TEXT,
            started_at TEXT NOT NULL,            -- by what the events tell, none later than their arrival
            active_at TEXT NOT NULL,
            stored_at INTEGER NOT NULL,          -- when the last event arrived, seconds since 1970
            opening INTEGER,                     -- the first user message, best one of a user's own words
            events INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0,
            calls INTEGER NOT NULL DEFAULT 0,
            errors INTEGER NOT NULL DEFAULT 0,
            tokens_in INTEGER NOT NULL DEFAULT 0,
            tokens_out INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX traces_by_activity ON traces (active_at)",
        "CREATE INDEX traces_by_arrival ON traces (stored_at)",
        """
        CREATE TABLE events (
            event INTEGER PRIMARY KEY,           -- order of arrival
            trace INTEGER NOT NULL,
            idempotency_key TEXT,
            line BLOB NOT NULL                   -- as it was recorded, to the byte
        )
        """,
        "CREATE UNIQUE INDEX events_once ON events (trace, idempotency_key)",
        "CREATE TABLE tools (trace INTEGER, name TEXT, calls INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (trace, name)) WITHOUT ROWID",
        "CREATE TABLE failed_spans (trace INTEGER, span_id TEXT, PRIMARY KEY (trace, span_id)) WITHOUT ROWID",
    ),
    (
        # How far a trace was sent to a service by `whyops push`: up to and with this event.
        "CREATE TABLE pushed (trace INTEGER, destination TEXT, event INTEGER NOT NULL, PRIMARY KEY (trace, destination)) WITHOUT ROWID",
    ),
    (
        # The days on which something was written, in the order in which they were seen: no clock that goes wrong can make that another.
        "CREATE TABLE days (number INTEGER PRIMARY KEY, day INTEGER NOT NULL UNIQUE)",  # `day` is days since 1970, by the writer's clock
        "INSERT INTO days (day) SELECT DISTINCT stored_at / 86400 FROM traces ORDER BY 1",
        "ALTER TABLE traces ADD COLUMN day INTEGER NOT NULL DEFAULT 0",  # the number of the day on which the last event arrived
        "UPDATE traces SET day = (SELECT number FROM days WHERE days.day = stored_at / 86400)",
        "DROP INDEX traces_by_arrival",
        "CREATE INDEX traces_by_arrival ON traces (day, stored_at)",
    ),
    (
        # What calls and errors are counted by: how many events of each kind a span has.
        """
        CREATE TABLE spans (
            trace INTEGER, span_id TEXT, requests INTEGER, responses INTEGER, failed INTEGER, results INTEGER, errors INTEGER,
            PRIMARY KEY (trace, span_id)
        ) WITHOUT ROWID
        """,
        "DROP TABLE failed_spans",
    ),
    (),  # a trace begins where its block was opened, or its first step began
)


_COUNTED_SINCE = 4
"""The version from which on calls, errors and tokens are counted as they are now."""

_TIMED_SINCE = 5
"""The version from which on a trace's beginning is taken as it is now."""


def connect_to_write(path: Path) -> Connection:
    """Open the store, after creating or migrating it where needed."""
    with as_store_errors(path):
        check_is_ours(path)
        if not path.exists():
            _create(path)
            check_is_ours(path)
        return _opened(path, partial(_migrate, path=path))


def connect_to_read(path: Path) -> Connection:
    """Open an existing store read-only; one of an older version is migrated before."""
    with as_store_errors(path):
        check_is_ours(path)
        connection = _open_to_read(path)
        if version(connection) == len(STEPS):
            return connection
        connection.close()
        connect_to_write(path).close()
        return _open_to_read(path)


def check_is_ours(path: Path) -> None:
    """Check the owner and the kind of the store, if it exists, and of the side files that SQLite opens with it.

    Raises:
        OSError: One of them is not ours.
    """
    for end in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            check_file(path.with_name(path.name + end))


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Take the write lock, waiting for other writers, and commit all of the block's changes or none; nested, it is part of the outer."""
    is_inside = connection.in_transaction
    if is_inside:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back on a full disk
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def as_store_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into a `StoreError` that names the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"The local store {path} can't be used right now: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is damaged, or no store of WhyOps: {error}. Move it away, and a new one is made.") from error
    except NotOurs as error:
        raise StoreError(
            f"The local store {path} is left alone: {error.filename} {error.strerror}. Move it away, or choose another folder with "
            "WHYOPS_HOME."
        ) from error
    except OSError as error:
        raise StoreError(f"The local store {path} can't be used: {error.strerror or error}.") from error


def version(connection: Connection) -> int:
    """Return the store's version: how many of the steps were applied to it."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _create(path: Path) -> None:
    """Make a complete, empty store that nobody but its owner can read, under any umask.

    It gets its name when it is ready, so that no other process opens it half made. SQLite creates its side files with the same mode.
    """
    import tempfile  # noqa: PLC0415  (it loads much, and a store is made once)

    make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        draft.chmod(0o600)
        os.close(descriptor)  # before SQLite opens it: closing later would drop SQLite's locks
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            _migrate(connection, path)
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    """Rename the draft, unless another process has made the store meanwhile."""
    try:
        os.link(draft, path)
    except (AttributeError, OSError):  # another process has made it, or this system or file system has no hard links
        if not os.path.lexists(path):
            draft.rename(path)


def _opened(address: Path | str, prepare: Callable[[Connection], object]) -> Connection:
    """Open a file, or a URI, and prepare the connection; it is closed if that fails."""
    # Used by one thread at a time, but not always the same: a fork closes it.
    connection = sqlite3.connect(address, BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=isinstance(address, str))
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_to_read(path: Path) -> Connection:
    address = path.absolute().as_uri()
    read_once = methodcaller("execute", "SELECT count(*) FROM sqlite_master")  # only then SQLite reports a file that it can't use
    try:
        return _opened(f"{address}?mode=ro", read_once)
    except sqlite3.OperationalError:
        # A folder that can't be written has no room for SQLite's side files. Without a log nothing is pending, so do without them.
        if path.with_name(f"{path.name}-wal").exists() or not path.exists():
            raise
        return _opened(f"{address}?mode=ro&immutable=1", read_once)


def _migrate(connection: Connection, path: Path) -> None:
    """Configure a connection that writes, and apply the steps that the store lacks."""
    connection.execute("PRAGMA synchronous=NORMAL")  # in WAL mode a power cut may cost the last moments, never the file
    connection.execute(f"PRAGMA journal_size_limit={_MAX_LOG_BYTES}")
    if version(connection) == len(STEPS):
        return
    with transaction(connection):
        done = version(connection)  # again: another process may have migrated meanwhile
        if done > len(STEPS):
            raise StoreError(f"{path} was written by a newer version of whyops: python -m pip install --upgrade whyops")
        for step in STEPS[done:]:
            for statement in step:
                connection.execute(statement)
        from .row import recount, retime  # noqa: PLC0415  (it knows what events tell, and nearly all stores are of this version)

        if done < _COUNTED_SINCE:
            recount(connection)
        if done < _TIMED_SINCE:
            retime(connection)
        connection.execute(f"PRAGMA user_version={len(STEPS)}")
