"""Record in memory, and say what the run has to be like: for tests of agents.

with whyops.testing.record() as run:
    run_my_agent()
run.calls("search_orders").once().with_arguments(order_id="123")
run.called_in_order("search_orders", "refund").no_errors()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._client import WhyOps
from ._default import chosen
from ._testing.calls import Calls
from ._testing.given import ReplayedError
from ._testing.many_runs import Runs, repeat
from ._testing.record import MemorySink, record
from ._testing.replay import ReplayError, replay
from ._testing.run import Run
from ._wire.read import RecordedEvent

__all__ = ["Calls", "Captured", "MemorySink", "ReplayError", "ReplayedError", "Run", "Runs", "capture", "record", "repeat", "replay"]


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
