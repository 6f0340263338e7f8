"""Traces → what the page shows: a flat list of steps, each with its place in the path and in time, and the events as they were recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from ..._printable import counted
from ..._trace.incomplete import gaps
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import USUAL_ENDS, Embedding, Failure, ModelAnswer, Step, Thinking, ToolCall, UserMessage
from ..._wire.read import RecordedEvent
from ..format import arguments_text, content_text, value_text
from ..json import kind_of

Data = dict[str, object]
IsAlive = Callable[[str], "bool | None"]

_PREVIEW = 300
_ROUNDED_FROM = 16
_ODD = re.compile(r"\d{16}|NaN|Infinity", re.ASCII)


def report_data(traces: Sequence[RecordedTrace], is_alive: IsAlive | None) -> Data:
    """Return all that the page needs, in JSON types."""
    return {"traces": [_trace(trace, is_alive) for trace in traces]}


def _trace(trace: RecordedTrace, is_alive: IsAlive | None) -> Data:
    totals, usage = trace.totals, trace.totals.usage
    steps = _Steps(trace, is_alive).flat()
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
        "steps": steps,
        "events": [_raw(event) for event in trace.events],
    }


class _Steps:
    """Goes through a trace's steps, numbers them, and puts each on the time line."""

    def __init__(self, trace: RecordedTrace, is_alive: IsAlive | None) -> None:
        self._trace = trace
        self._is_alive = is_alive
        self._places = {id(event): index for index, event in enumerate(trace.events)}
        self._begin = min((_span(step)[0] for step in trace.walk()), default=0.0)
        self._flat: list[Data] = []

    def flat(self) -> list[Data]:
        """Return the steps, each before those inside it; what answers a user stands inside the user's message."""
        above = -1
        for step in self._trace.steps:
            if isinstance(step, UserMessage):
                above = self._add(step, -1, 0)
            else:
                self._add(step, above, 0 if above < 0 else 1)
        return self._flat

    def _add(self, step: Step, parent: int, depth: int) -> int:
        number = len(self._flat)
        begin, end = _span(step)
        usage = step.usage
        data: Data = {
            "kind": kind_of(step),
            "name": _name(step),
            "text": _cut(_text(step)),
            "result": _cut(_result(step)),
            "parent": parent,
            "depth": depth,
            "at": round(begin - self._begin, 3),
            "to": round(end - self._begin, 3),
            "ms": step.latency_ms,
            "tokens": [usage.prompt, usage.cache_read + usage.cache_creation, usage.completion, usage.unsplit] if usage else None,
            "failed": _failed(step),
            "open": self._open(step),
            "notes": list(_notes(step)),
            "parts": list(self._parts(step)),
            "events": [self._places[id(event)] for event in step.events],
        }
        self._flat.append({name: value for name, value in data.items() if value not in (None, "", [])})
        for child in step.children:
            self._add(child, number, depth + 1)
        return number

    def _open(self, step: Step) -> str | None:
        if not isinstance(step, (ToolCall, Embedding)) or step.is_finished:
            return None
        process = step.first.process
        alive = None if process is None or self._is_alive is None else self._is_alive(process)
        return {True: "still open", False: "process ended here", None: "no response recorded"}[alive]

    def _parts(self, step: Step) -> Iterator[list[object]]:
        """Yield what a step's own view shows before the raw events: a title, an event's place, and the way to the value in it."""
        for title, event, way in _parts(step):
            yield [title, self._places[id(event)], way]


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
    """Return when a step began and ended, in milliseconds since 1970. What a single event tells of ended when it was recorded."""
    times = [event.at / 1000 for event in step.events if event.at is not None]
    if not times:
        return 0.0, 0.0
    latency = step.latency_ms
    if latency is None:
        return times[0], times[-1]
    if isinstance(step, (ModelAnswer, Embedding)) and len(step.events) == 1:
        return times[0] - latency, times[0]
    return times[0], times[0] + latency


def _name(step: Step) -> str:
    if isinstance(step, ToolCall):
        return step.name
    if isinstance(step, (ModelAnswer, Embedding)):
        return step.model or "unknown"
    if isinstance(step, UserMessage):
        return step.asked.role
    return step.first.type if kind_of(step) == "other" else kind_of(step)


def _text(step: Step) -> str:
    if isinstance(step, ToolCall):
        return arguments_text(step.arguments)
    if isinstance(step, ModelAnswer):
        return content_text(step.content) or (f"chose {', '.join(tool.name for tool in step.chosen)}" if step.chosen else "")
    if isinstance(step, UserMessage):
        return content_text(step.asked.content)
    if isinstance(step, Thinking):
        return content_text(step.text)
    if isinstance(step, Embedding):
        return counted(len(step.inputs), "text") if step.inputs else ""
    return step.message if isinstance(step, Failure) else value_text(step.first.content)


def _result(step: Step) -> str:
    if isinstance(step, ToolCall) and step.is_finished:
        return step.error or value_text(step.result)
    return (step.error or "") if isinstance(step, ToolCall) else ""


def _failed(step: Step) -> bool | None:
    return isinstance(step, Failure) or (isinstance(step, ToolCall) and step.error is not None) or None


def _notes(step: Step) -> Iterator[str]:
    if isinstance(step, UserMessage) and step.offered is not None:
        yield f"{counted(step.offered, 'tool')} offered"
    if isinstance(step, ModelAnswer):
        for tool in step.not_called:
            yield _cut(f"chosen, but no call recorded: {tool.name}({arguments_text(tool.arguments)})")
        if step.finish_reason and step.finish_reason not in USUAL_ENDS:
            yield f"stopped: {step.finish_reason}"
    if isinstance(step, ToolCall) and step.interrupted is not None:
        yield f"interrupted: {step.interrupted}"
    if isinstance(step, ToolCall) and step.closed_early:
        yield "closed early by its reader"
    for number, what in ((step.truncated, "cut"), (step.redacted, "redacted")):
        if number:
            yield f"{counted(number, 'value')} {what}"


Part = tuple[str, RecordedEvent, list["str | int"]]


def _parts(step: Step) -> Iterator[Part]:
    first = step.first
    if isinstance(step, ToolCall):
        yield from _call_parts(step)
    elif isinstance(step, UserMessage):
        yield "Messages", first, ["content"]
    elif isinstance(step, Thinking):
        yield "Thinking", first, ["content", "thinking"] if "thinking" in first.fields else ["content"]
    elif isinstance(step, ModelAnswer):
        if first.fields.get("content") is not None:
            yield "Answer", first, ["content", "content"]
        if step.chosen:
            yield "Tools it chose", first, ["content", "toolCalls"]
        if not first.fields:
            yield "Answer", first, ["content"]
    elif isinstance(step, Failure):
        yield "Error", first, ["content", "message"] if "message" in first.fields else ["content"]
        if step.stack:
            yield "Stack", first, ["content", "stack"]
    else:
        yield "Content", first, ["content"]


def _call_parts(step: ToolCall) -> Iterator[Part]:
    asked = next((event for event in step.events if event.fields.get("toolCalls")), None)
    if asked is not None:
        yield "Arguments", asked, ["content", "toolCalls", 0, "arguments"] if len(step.requested) == 1 else ["content", "toolCalls"]
    failures = [event for event in step.events if event.type == "error"]
    for event in failures:
        yield "Error", event, ["content", "message"]
        if event.fields.get("stack"):
            yield "Stack", event, ["content", "stack"]
    for event in step.events:
        if event.type == "tool_result":
            yield "Result", event, ["content", "output"]
        elif event.type == "tool_call_response" and not failures:
            results = event.fields.get("toolResults")
            only = isinstance(results, dict) and list(results) == ["result"]
            yield "Result", event, ["content", "toolResults", "result"] if only else ["content", "toolResults"]


def _cut(text: str) -> str:
    text = " ".join(text[: _PREVIEW * 4].split())
    return text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"
