"""Event lines → the local store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._runtime import guard
from .._runtime.forks import forks_wait, hold_forks
from .._wire.entry import Entry
from .._wire.objects import objects_in
from .._wire.read import decode
from ..errors import StoreError
from ..events import Receipt, Refusal
from . import STORE_NAME
from .row import add

if TYPE_CHECKING:
    from .schema import Connection

_DAY_SECONDS = 86_400
_LAST_SECOND = 253_402_300_799
"""Of the year 9999, the last that a time can be written in."""

_PRUNE_EVERY_SECONDS = 3600.0
_FORK_WAITS_SECONDS = 1.0


class SqliteSink:
    """Stores event lines in `home/traces.db`: each once, however often it is sent, and within limits.

    With `max_age_days`, a whole trace is removed when its last event arrived more days ago. Only days on which something was written
    count, and the latest of them does not: so neither a wrong clock nor a store that lay unused removes anything. With `max_bytes`, the
    traces inactive for longest are removed while the store is larger. 0 is no limit. Any number of processes may write at once. No file
    and no SQLite before the first `send`.
    """

    def __init__(self, home: Path, *, max_bytes: int = 0, max_age_days: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(home) / STORE_NAME
        self._max_bytes = max_bytes
        self._max_age_days = max_age_days
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._paused = False
        self._unpruned_bytes = 0
        self._pruned_at: float | None = None

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Store the lines in one transaction. A line that is not an event of a trace is rejected.

        Raises:
            StoreError: The store can't be used.
        """
        traces: dict[str, list[Entry]] = {}
        refused: list[Refusal] = []
        for index, (line, event) in enumerate(zip(lines, objects_in(lines, decode), strict=True)):
            entry = Entry.of(event or {}, line)
            if entry.trace is None:
                refused.append(Refusal(index, "not a JSON object" if event is None else "no traceId"))
            else:
                traces.setdefault(entry.trace, []).append(entry)
        if traces:
            with self._lock:
                self._store(traces)
        return Receipt(stored=len(lines) - len(refused), refused=tuple(refused))

    def close(self) -> None:
        """Close the file. A later `send` opens it again."""
        with self._lock:
            self._disconnect()

    def _store(self, traces: Mapping[str, Sequence[Entry]]) -> None:
        with forks_wait():  # the sender loads this, and a child forked at that moment would have half of it for good
            try:
                from . import retention, schema  # noqa: PLC0415  (loads SQLite, which a program with a key never needs)
            except ImportError as error:
                raise StoreError(
                    f"This Python has no {error.name}, so there is no local store: load it, if there is such a package, set "
                    "WHYOPS_API_KEY, or pass a sink=."
                ) from error

        if _inherited:
            raise StoreError("This process was forked while its parent wrote to the local store; what it records waits for the next one.")
        if self._connection is None:
            self._connection = schema.connect_to_write(self.path)
            hold_forks(self)
        now = min(max(self._clock(), 0.0), _LAST_SECOND)
        with schema.as_store_errors(self.path), schema.transaction(self._connection):
            day = _number_of_day(self._connection, int(now) // _DAY_SECONDS)
            add(self._connection, traces, now, day)
        self._unpruned_bytes += sum([len(entry.line) for entries in traces.values() for entry in entries])
        if self._is_pruning_due(now):
            self._unpruned_bytes, self._pruned_at = 0, now
            try:
                with schema.as_store_errors(self.path):
                    limits = {"max_bytes": self._max_bytes, "max_age_days": self._max_age_days}
                    self._log_removed(*retention.enforce_limits(self._connection, **limits))
            except StoreError as error:  # the lines are stored: removing old ones can wait
                guard.notices.say("store:prune", "Old traces could not be removed from the local store: %s", error)

    def _is_pruning_due(self, now: float) -> bool:
        """Return whether much was written since the last time, or that was long ago by a clock that may have been set back."""
        is_much = self._max_bytes > 0 and self._unpruned_bytes > self._max_bytes // 64
        return is_much or self._pruned_at is None or abs(now - self._pruned_at) >= _PRUNE_EVERY_SECONDS

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _log_removed(self, aged: int, oldest: int) -> None:
        if aged:
            guard.notices.say(
                "store:age",
                "Traces inactive for more than %d days of use were removed from the local store %s, %d of them. `local_max_age_days` sets "
                "the number of days, and 0 keeps all.",
                self._max_age_days,
                self.path,
                aged,
            )
        if oldest:
            guard.notices.say(
                "store:full",
                "The local store %s is full (%d MB): the oldest traces were removed, %d of them. `local_max_bytes` sets the limit.",
                self.path,
                self._max_bytes // 1_000_000,
                oldest,
            )

    def before_fork(self) -> None:
        """Close the file: an open SQLite connection, its locks above all, must not be taken into a child."""
        self._paused = self._lock.acquire(timeout=_FORK_WAITS_SECONDS)
        if self._paused:
            self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Continue."""
        if self._paused:
            self._paused = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Continue, unless the fork could not wait for a long write: then this process does not use the store, as it has copied locks."""
        if self._connection is not None:
            _inherited.append(self._connection)
            self._connection = None
        self._paused = False
        self._lock = threading.Lock()


def _number_of_day(connection: Connection, day: int) -> int:
    """Return the number of the latest day on which something was written: that of `day` itself (days since 1970) if it is new."""
    connection.execute("INSERT OR IGNORE INTO days (day) VALUES (?)", (day,))
    return int(connection.execute("SELECT max(number) FROM days").fetchone()[0])


_inherited: list[Connection] = []
"""Connections that a child process inherited. Closing one might wait forever for a thread that does not exist there."""
