"""Events of a run → events that are the same each time the run does the same, but for what stands in their contents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from .read import RecordedEvent

_KEPT = ("tool", "model", "provider", "finishReason", "interrupted", "parentSpanId", "structured_output")
"""The members of an event's metadata that tell what was decided."""
_BEGINNING = datetime(2000, 1, 1, tzinfo=timezone.utc)


def stable_events(events: Iterable[RecordedEvent], content: Callable[[object], object]) -> Iterator[dict[str, Any]]:
    """Yield events with ids that are numbers, and times that are places: how long a call took is how much happened in it.

    `content` makes each event's content the same.
    """
    spans: dict[str, str] = {}
    began: dict[str, int] = {}
    for place, event in enumerate(events):
        metadata = {name: value for name, value in event.metadata.items() if name in _KEPT}
        if isinstance(parent := metadata.get("parentSpanId"), str):
            metadata["parentSpanId"] = spans.setdefault(parent, f"span-{len(spans) + 1}")
        known: dict[str, Any] = {"traceId": "golden", "eventType": event.type, "timestamp": _time(place)}
        if event.span_id:
            known["spanId"] = spans.setdefault(event.span_id, f"span-{len(spans) + 1}")
            if event.latency_ms is not None:
                metadata["latencyMs"] = place - began.get(event.span_id, place)
            began.setdefault(event.span_id, place)
        yield {**known, "metadata": metadata, "content": content(event.content)}


def _time(place: int) -> str:
    return (_BEGINNING + timedelta(milliseconds=place)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
