"""How far the local store's traces were sent to a service: kept in the store itself, so that an interrupted push can be resumed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from . import STORE_NAME, schema

StoredLine = tuple[int, bytes]
"""An event's number in the store, and its line."""


class Pushed:
    """Reads and moves the marks of one destination, which any text may name."""

    def __init__(self, home: Path, destination: str) -> None:
        self._path = Path(home) / STORE_NAME
        self._destination = destination

    def pending(self, trace_id: str, *, again: bool = False) -> list[StoredLine]:
        """Return the trace's lines behind the mark, in order; `again` all of them."""
        query = """
            SELECT event, line FROM events JOIN traces USING (trace)
            WHERE trace_id = ? AND event > coalesce((SELECT event FROM pushed WHERE trace = traces.trace AND destination = ?), -1)
            ORDER BY event
        """
        with contextlib.closing(schema.connect_to_read(self._path)) as connection, schema.as_store_errors(self._path):
            return connection.execute(query, (trace_id, "" if again else self._destination)).fetchall()

    def mark(self, trace_id: str, event: int) -> None:
        """Remember that the trace was sent up to and with this event."""
        statement = "INSERT OR REPLACE INTO pushed (trace, destination, event) SELECT trace, ?, ? FROM traces WHERE trace_id = ?"
        with (
            contextlib.closing(schema.connect_to_write(self._path)) as connection,
            schema.as_store_errors(self._path),
            schema.transaction(connection),
        ):
            connection.execute(statement, (self._destination, event, trace_id))
