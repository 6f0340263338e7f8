"""Record in memory, and look at what was recorded: for tests of code that uses WhyOps.

with whyops.testing.capture() as captured:
    run_my_agent()
assert captured.tool_names() == ["search_orders", "refund"]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ._client import WhyOps
from ._default import chosen
from ._wire.read import RecordedEvent
from .events import Receipt

__all__ = ["Captured", "MemorySink", "capture"]


class MemorySink:
    """A sink that keeps the lines it is given. A line whose key it has is taken and not kept again, as the service does."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._keys: set[tuple[str | None, str | None]] = set()

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Keep the lines."""
        for line in lines:
            event = RecordedEvent(json.loads(line))
            key = (event.trace_id, event.key)
            if key not in self._keys:
                self._keys.add(key)
                self.lines.append(line)
        return Receipt(stored=len(lines))

    def close(self) -> None:
        """Do nothing: what was kept stays readable."""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, in the order in which they came."""
        return [json.loads(line) for line in list(self.lines)]


class Captured:
    """What a `capture` block recorded. Each property waits until all of it has arrived."""

    def __init__(self, client: WhyOps, sink: MemorySink) -> None:
        self.client = client
        self._sink = sink

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events, in the order in which they were recorded, as the service would get them."""
        self.client.flush_sync()
        return self._sink.events

    def of_type(self, event_type: str) -> list[dict[str, Any]]:
        """Return the events of one type, such as "tool_call_request"."""
        return [event for event in self.events if RecordedEvent(event).type == event_type]

    def tool_names(self) -> list[str]:
        """Return the names of the tools that were called, in order."""
        return [RecordedEvent(event).tool or "" for event in self.of_type("tool_call_request")]


@contextmanager
def capture(agent_name: str = "test", **settings: Any) -> Iterator[Captured]:
    """Let a client that records in memory be the default one inside the block. `settings` are those of `WhyOps`."""
    sink = MemorySink()
    client = WhyOps(agent_name=agent_name, sink=sink, outbox="memory", **settings)
    with chosen(client):
        try:
            yield Captured(client, sink)
        finally:
            client.close_sync()
