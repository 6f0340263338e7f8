"""Events as they come → steps as they end, of many traces at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .._wire.read import RecordedEvent
from .build import decision_path
from .order import in_order
from .steps import Step

_BEGIN = frozenset({"tool_call_request", "embedding_request"})
_END = frozenset({"tool_call_response", "tool_result", "embedding_response"})
_MOST_SEEN = 100_000


@dataclass
class _OpenCall:
    began: float
    events: list[RecordedEvent] = field(default_factory=list)
    was_told: bool = False


class LiveSteps:
    """Puts a call's events together until its end has come; what is no call is a step at once. An event that comes twice counts once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _OpenCall] = {}
        self._seen: dict[tuple[str | None, str], None] = {}

    def add(self, events: Iterable[Mapping[str, object]], now: float) -> Iterator[Step]:
        """Yield the steps that end with these events. `now` is in seconds by any clock."""
        for raw in events:
            event = RecordedEvent(raw)
            if self._is_new(event):
                yield from self._ended_by(event, now)

    def still_open(self, now: float, seconds: float) -> Iterator[Step]:
        """Yield the calls that have gone on for so many seconds, each once."""
        for call in list(self._open.values()):
            if not call.was_told and now - call.began >= seconds:
                call.was_told = True
                yield from _steps(call.events)

    def _ended_by(self, event: RecordedEvent, now: float) -> Iterator[Step]:
        span = (event.trace_id or "", event.span_id or "")
        if event.type in _BEGIN and event.span_id:
            self._open[span] = _OpenCall(now, [event])
        elif span not in self._open:
            yield from _steps([event])
        elif event.type in _END:
            yield from _steps([*self._open.pop(span).events, event])
        else:
            self._open[span].events.append(event)

    def _is_new(self, event: RecordedEvent) -> bool:
        if event.key is None:
            return True
        key = (event.trace_id, event.key)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return True


def _steps(events: list[RecordedEvent]) -> Iterator[Step]:
    for step in decision_path(in_order(events), 1):
        yield from step.walk()
