"""Traces → what the page shows: a flat list of steps, each with its place in the path and in time, and the events as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain

from ..._trace.incomplete import gaps
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import Step
from ..._wire.used import Usage
from ..._wire.values import as_text
from ..step_text import FAILED, OPEN, IsAlive, StepText, outline, step_text, turns
from .card import Card
from .exact import TOO_DEEP, exact, exact_event
from .prompts import Prompts

Data = dict[str, object]

_PREVIEW = 300
_ACTORS = (("agent", "lc_agent_name"), ("langgraph_node", "step"), ("postprocessor", "query_engine"))
_ACTING = frozenset(chain.from_iterable(_ACTORS))


def report_data(traces: Sequence[RecordedTrace], is_alive: IsAlive | None) -> Data:
    """Return all that the page needs, in JSON types."""
    return {"traces": [_whole(TracePage(trace, is_alive)) for trace in traces]}


def _whole(page: TracePage) -> Data:
    steps = list(page.steps())
    return {**page.facts(), "steps": steps, "events": list(map(exact_event, page.trace.events)), "messages": page.messages}


class TracePage:
    """One trace as the page is handed it, piece by piece: its steps, and what is said of it when these have been read."""

    def __init__(self, trace: RecordedTrace, is_alive: IsAlive | None) -> None:
        self.trace = trace
        self._is_alive = is_alive
        self._prompts = Prompts(trace)
        self._card = Card()

    @cached_property
    def messages(self) -> list[object]:
        """The messages of prompts, each once."""
        return [exact(message, {"role": message["role"], "content": TOO_DEEP}) for message in self._prompts.messages]

    def facts(self) -> Data:
        """Return all but the steps, events and messages."""
        trace, totals, usage = self.trace, self.trace.totals, self.trace.totals.usage
        return {
            "id": trace.trace_id,
            "around": trace.parent_trace_id,
            "agent": trace.agent_name,
            "user": trace.external_user_id,
            "startedAt": None if trace.started_at is None else trace.started_at // 1000,
            "durationMs": trace.duration_ms,
            "calls": totals.calls,
            "errors": totals.errors,
            "tokens": dict(zip(("in", "cached", "out", "other"), _counts(usage), strict=True)),
            "gaps": gaps(trace),
            "card": self._card.data(),
        }

    def steps(self) -> Iterator[Data]:
        """Yield the steps, each before those inside it; what answers a user is inside the user's message."""
        places = {id(event): index for index, event in enumerate(self.trace.events)}
        zero = (self.trace.started_at or 0) / 1000
        for step, parent, depth in outline(turns(self.trace)):
            said = step_text(step, self._is_alive)
            self._card.add(step, said, parent)
            begin, end = _span(step)
            data: Data = {"kind": said.kind}
            for name, told in (("name", said.name), ("text", _text(said)), ("result", "" if said.state == OPEN else _cut(said.outcome))):
                if told:
                    data[name] = told
            data["parent"], data["depth"] = parent, depth
            data["at"], data["to"] = round(max(begin - zero, 0.0), 3), round(max(end - zero, 0.0), 3)
            data.update(self._more(step, said))
            data["events"] = [places[id(event)] for event in step.events]
            data["parts"] = [[value.title, places[id(value.event)], list(value.path)] for value in said.values]
            yield data
            step.let_go()

    def _more(self, step: Step, said: StepText) -> Iterator[tuple[str, object]]:
        """Yield what few steps have."""
        if step.latency_ms is not None:
            yield "ms", step.latency_ms
        if usage := step.usage:
            yield "tokens", _counts(usage)
        if said.state == FAILED:
            yield "failed", True
        elif said.state == OPEN:
            yield "open", said.outcome
        if said.kind != "user" and (who := _who(step)):
            yield "who", who
        if users := {user for event in step.events if (user := event.external_user_id)}:
            yield "users", sorted(users)
        if said.not_recorded or said.facts or said.warnings:
            yield "notes", [*(_cut(f"requested, but not recorded: {call}") for call in said.not_recorded), *said.facts, *said.warnings]
        if said.kind in ("model", "error") and (prompt := self._prompts.of(step.events)):
            yield "prompt", prompt


def _text(said: StepText) -> str:
    return _cut(said.text or (f"requested {', '.join(said.requested)}" if said.requested else ""))


def _counts(usage: Usage) -> list[int]:
    return [usage.prompt, usage.cache_read + usage.cache_creation, usage.completion, usage.unsplit]


def _who(step: Step) -> str | None:
    """Return the agent, and the node of a graph or the part of a query engine, that took the step, where a framework tells them."""
    if all(_ACTING.isdisjoint(event.metadata) for event in step.events):
        return None
    found = []
    for names in _ACTORS:
        texts = (as_text(event.metadata.get(name)) for event in step.events for name in names)
        found.append(next(filter(None, texts), None))
    return " / ".join(dict.fromkeys(filter(None, found))) or None


def _span(step: Step) -> tuple[float, float]:
    """Return when a step began and ended, in milliseconds since 1970. A step with a single event ended when that was recorded."""
    times = [event.at / 1000 for event in step.events if event.at is not None]
    if not times:
        return 0.0, 0.0
    latency = step.latency_ms
    if latency is None:
        return times[0], times[-1]
    if step.kind in ("model", "embedding"):
        return min(event.at / 1000 - (event.latency_ms or 0) for event in step.events if event.at is not None), max(times)
    return times[0], times[0] + latency


def _cut(text: str) -> str:
    text = " ".join(text[: _PREVIEW * 4].split())
    return text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"
