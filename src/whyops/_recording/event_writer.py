"""What happened → an event's line, with what its trace says of each event: ids, user, metadata, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._encoding import Encoded
from .._wire import line
from .recorder import Recorder

if TYPE_CHECKING:
    from ..types import EventType

_STAMP_NS = 1_000
"""A stamp tells microseconds: two that are so far apart are different ones."""


class EventWriter:
    """Completes the events of one trace and hands their lines on. `metadata` is what the trace adds to each event's own."""

    __slots__ = ("_last_ns", "_recorder", "_trace_id", "head", "metadata")

    def __init__(self, recorder: Recorder, trace_id: str) -> None:
        self.metadata: dict[str, Any] = {}
        self._recorder = recorder
        self._trace_id = trace_id
        self._last_ns = 0
        self.set_user(None)

    def set_user(self, external_user_id: str | None) -> None:
        """Name the user in all events from here on."""
        self.head = line.head(self._trace_id, self._recorder.agent_name, external_user_id)

    def write(
        self,
        event_type: EventType,
        content: Encoded,
        span_id: str | None = None,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        fields: str = "",
        key: str | None = None,
        timestamp: str | None = None,
    ) -> None:
        """Complete an event and hand its line on. `fields` are ready members of the event, each after a comma; `key` is JSON."""
        encoded, cuts, redactions = content
        members = self.members(span_id, parent_id, metadata, cuts, redactions)
        key = key or f'"{self._recorder.ids.next()}"'
        if self._recorder.enabled:
            own = line.members(span_id, fields, encoded, members)
            self._recorder.record(line.line(self.head, event_type, timestamp or self.stamp(), key, own))

    def members(self, span_id: str | None, parent_id: str | None, metadata: Mapping[str, Any] | None, cuts: int, redactions: int) -> str:
        """Return what an event's metadata holds as ready members, each after a comma.

        That is the trace's own and `metadata`, the span around the event's, and how many places were cut and redacted.
        """
        members = ""
        if self.metadata or metadata:
            encoded, more_cuts, more_redactions = self._recorder.encode({**self.metadata, **(metadata or {})})
            members = f",{encoded[1:-1]}" if len(encoded) > len("{}") else ""
            cuts += more_cuts
            redactions += more_redactions
        if parent_id == span_id:
            parent_id = None
        return members if parent_id is None and not cuts and not redactions else members + line.marks(parent_id, cuts, redactions)

    def stamp(self) -> str:
        """Return the time, for each event of the trace another and a later one.

        There is no lock, which would cost every call: of threads that share a trace, two may get the same microsecond. Each thread's own
        stamps go up, as the clock does.
        """
        clock = self._recorder.clock
        now = clock.wall_ns()
        if now - self._last_ns < _STAMP_NS:
            now = self._last_ns + _STAMP_NS
        self._last_ns = now
        return clock.text(now)
