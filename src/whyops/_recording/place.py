"""Where in a run something happens: what a model's call, or a framework's handler, records through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._providers.said import Said
from .._wire import write as contents
from ..types import EventType
from . import context
from .trace_writer import TraceWriter


@dataclass(slots=True, eq=False)
class Place:
    """A trace, the recorded span around what happens, and what its events say of it: an agent and its step, a node of a graph."""

    trace: TraceWriter
    parent_id: str | None
    labels: Mapping[str, object] = field(default_factory=dict)

    def labelled(self, labels: Mapping[str, object]) -> Place:
        """Return the same place, with more to say."""
        return Place(self.trace, self.parent_id, {**self.labels, **labels})

    def record(
        self,
        event_type: EventType,
        parts: contents.Parts,
        more: Mapping[str, object] | None = None,
        span_id: str | None = None,
        marks: str = "",
        key: str | None = None,
    ) -> None:
        """Record an event; `more` is added to its metadata, and so are `marks`, which are JSON. `key` is its idempotency key."""
        self.trace.record_event(
            event_type,
            parts,
            span_id=span_id,
            parent_id=self.parent_id,
            metadata={**self.labels, **(more or {})},
            marks=marks,
            key=None if key is None else f'"{key}"',
        )

    def record_told(self, tool_call_id: object, content: object, said: Said | None) -> None:
        """Record what a model is told as the result of a call that it chose and no tool ran.

        `said` is the message that tells it, if that holds `content` as it is: a later prompt tells it by its id.
        """
        memory = self.trace.prompts()
        tool = memory.chosen.pop(tool_call_id, None)
        key = self.trace.recorder.ids.next()
        self.record("tool_result", contents.tool_result(tool, content), {"tool_call_id": tool_call_id}, key=key)
        if said is not None:
            memory.remember(key, said._replace(name=contents.name_or_unknown(tool)))

    def record_exception(
        self,
        error: BaseException,
        span_id: str | None = None,
        marks: str = "",
        status: int | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """Record `error` once for the trace, unless it is none; `more` is added to its metadata."""
        self.trace.record_exception(
            error,
            span_id=span_id,
            parent_id=self.parent_id,
            hides_text=context.hides_text(),
            metadata={**(self.trace.shown_labels(self.labels) or {}), **(more or {})},
            marks=marks,
            status=status,
        )
