"""Where in a run something happens, and how an event is recorded there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..._recording import context
from ..._recording.trace_writer import TraceWriter
from ..._wire.write import Parts
from ...types import EventType

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Place:
    """A trace, the recorded span around what happens, and what its events say of it: an agent and its step, a node of a graph."""

    trace: TraceWriter
    parent_id: str | None
    labels: Mapping[str, object] = field(default_factory=dict)

    def labelled(self, labels: Mapping[str, object]) -> Place:
        """Return the same place, with more to say."""
        return Place(self.trace, self.parent_id, {**self.labels, **labels})

    def record(self, event_type: EventType, parts: Parts, more: Mapping[str, object] = _NOTHING, span_id: str | None = None) -> None:
        """Record an event; `more` is added to its metadata."""
        self.trace.record_event(event_type, parts, span_id=span_id, parent_id=self.parent_id, metadata={**self.labels, **more})

    def record_exception(self, error: BaseException, span_id: str | None = None) -> None:
        """Record `error` once for the trace, unless it is none."""
        self.trace.record_exception(error, span_id=span_id, parent_id=self.parent_id, hides_text=context.hides_text())
