"""Traces → what the page shows: a flat list of steps, each with its place in the path and in time, and the events as they were recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from ..._trace.incomplete import gaps
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import Step
from ..._wire.read import RecordedEvent
from ..step_text import FAILED, OPEN, IsAlive, outline, step_text, turns

Data = dict[str, object]

_PREVIEW = 300
_ROUNDED_FROM = 16
_ODD = re.compile(r"\d{16}|NaN|Infinity", re.ASCII)


def report_data(traces: Sequence[RecordedTrace], is_alive: IsAlive | None) -> Data:
    """Return all that the page needs, in JSON types."""
    return {"traces": [_trace(trace, is_alive) for trace in traces]}


def _trace(trace: RecordedTrace, is_alive: IsAlive | None) -> Data:
    totals, usage = trace.totals, trace.totals.usage
    return {
        "id": trace.trace_id,
        "agent": trace.agent_name,
        "user": trace.external_user_id,
        "startedAt": None if trace.started_at is None else trace.started_at // 1000,
        "durationMs": trace.duration_ms,
        "calls": totals.calls,
        "errors": totals.errors,
        "tokens": {"in": usage.prompt, "cached": usage.cache_read + usage.cache_creation, "out": usage.completion, "other": usage.unsplit},
        "gaps": gaps(trace),
        "steps": list(_steps(trace, is_alive)),
        "events": [_raw(event) for event in trace.events],
    }


def _steps(trace: RecordedTrace, is_alive: IsAlive | None) -> Iterator[Data]:
    """Yield the steps, each before those inside it; what answers a user is inside the user's message."""
    places = {id(event): index for index, event in enumerate(trace.events)}
    zero = min((_span(step)[0] for step in trace.walk()), default=0.0)
    for step, parent, depth in outline(turns(trace)):
        begin, end = _span(step)
        usage, said = step.usage, step_text(step, is_alive)
        data: Data = {
            "kind": said.kind,
            "name": said.name,
            "text": _cut(said.text or (f"requested {', '.join(said.requested)}" if said.requested else "")),
            "result": _cut("" if said.state == OPEN else said.outcome),
            "parent": parent,
            "depth": depth,
            "at": round(begin - zero, 3),
            "to": round(end - zero, 3),
            "ms": step.latency_ms,
            "tokens": [usage.prompt, usage.cache_read + usage.cache_creation, usage.completion, usage.unsplit] if usage else None,
            "failed": said.state == FAILED or None,
            "open": said.outcome if said.state == OPEN else None,
            "notes": [*(_cut(f"requested, but not recorded: {call}") for call in said.not_recorded), *said.facts, *said.warnings],
            "parts": [[value.title, places[id(value.event)], list(value.path)] for value in said.values],
            "events": [places[id(event)] for event in step.events],
        }
        yield {name: value for name, value in data.items() if value not in (None, "", [])}


def _raw(event: RecordedEvent) -> object:
    """Return an event as a browser can read it. Numbers that it would round stand between two private characters, as text."""
    try:
        text = json.dumps(event.raw, default=str)
        return json.loads(text, parse_int=_whole, parse_constant=str) if _ODD.search(text) else event.raw
    except (ValueError, TypeError, RecursionError):
        return {"eventType": event.type, "content": "(nested too deeply to be shown here; `whyops export` has it)"}


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < _ROUNDED_FROM else f"\ue000{digits}\ue001"


def _span(step: Step) -> tuple[float, float]:
    """Return when a step began and ended, in milliseconds since 1970. A step with a single event ended when that was recorded."""
    times = [event.at / 1000 for event in step.events if event.at is not None]
    if not times:
        return 0.0, 0.0
    latency = step.latency_ms
    if latency is None:
        return times[0], times[-1]
    if step.kind in ("model", "embedding") and len(step.events) == 1:
        return times[0] - latency, times[0]
    return times[0], times[0] + latency


def _cut(text: str) -> str:
    text = " ".join(text[: _PREVIEW * 4].split())
    return text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"
