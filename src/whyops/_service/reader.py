"""What the service holds, for those who look at it with a key."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._http.transport import open_channel
from .questions import Query, Questions, Reply
from .stored_trace import StoredTrace, read_trace

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class ServiceReader:
    """Asks a service, and changes nothing there. `transport` carries the requests in place of a connection of our own."""

    analyse_url: str
    api_key: str = field(repr=False)
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    def trace(self, trace_id: str) -> StoredTrace:
        """Return a trace's events, oldest first; none for an id of which the service says that it has none.

        Raises:
            ServiceError: It can't be asked, or what answers is not the service.
        """
        with self.questions() as questions:
            return read_trace(questions, trace_id)

    def ask(self, path: str, query: Query | None = None) -> Reply:
        """Return what the service answers, whatever its status.

        Raises:
            ServiceError: No answer came.
        """
        with self.questions() as questions:
            return questions.reply(path, query)

    @contextlib.contextmanager
    def questions(self) -> Iterator[Questions]:
        """Open a connection for several questions."""
        channel = open_channel(self.transport)
        try:
            yield Questions(self.analyse_url, self.api_key, channel)
        finally:
            channel.close()
