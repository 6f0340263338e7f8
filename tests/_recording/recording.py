"""A recorder that keeps its lines, for tests of capture without a client."""

from __future__ import annotations

import json
from typing import Any

from whyops._encoding.encoder import Encoder
from whyops._recording.recorder import Recorder
from whyops._recording.trace import Trace, writer_of
from whyops._recording.trace_writer import TraceWriter


class Recording:
    """Traces whose events are kept in `events`, as parsed objects in the order in which they were recorded."""

    def __init__(self, **recorder: Any) -> None:
        self.lines: list[bytes] = []
        self.recorder = Recorder(**{"agent_name": "tester", "encode": Encoder().encode, "record": self.lines.append, **recorder})

    def trace(self, *arguments: Any, **options: Any) -> Trace:
        return Trace(self.recorder, *arguments, **options)

    def writer(self, *arguments: Any, **options: Any) -> TraceWriter:
        return writer_of(self.trace(*arguments, **options))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def of_type(self, event_type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["eventType"] == event_type]

    def only(self, event_type: str) -> dict[str, Any]:
        (event,) = self.of_type(event_type)
        return event
