"""Checks of the latest traces: calls that were recorded twice, model answers without token counts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..._printable import counted
from ..._render.format import content_text, value_text
from ..._render.terminal.doctor_table import Finding, Level
from ..._store.reader import StoreReader
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import LLMResponse, Step, ToolCall
from ...errors import WhyOpsError

LATEST = 20
_NEAR_MICROSECONDS = 250_000


def check_traces(home: Path) -> Iterator[Finding]:
    """Check the latest traces of the local store."""
    try:
        reader = StoreReader(home)
        traces = [RecordedTrace.from_events(reader.events(one.trace_id), one.trace_id) for one in reader.summaries(limit=LATEST)]
    except WhyOpsError:  # the check of the home reports it
        return
    if not traces:
        return
    twice = [trace.trace_id for trace in traces if _is_doubled(trace)]
    if twice:
        remedy = (
            "Record each call in one way only: a model's through the proxy or a handler, a tool's with @whyops.tool or a handler; and "
            "register a handler once."
        )
        yield Finding("warn", "doubles", f"calls seem to be recorded twice in {counted(len(twice), 'trace')}, such as {twice[0]}", remedy)
    answers = [step for trace in traces for step in trace.walk() if isinstance(step, LLMResponse)]
    without = sum(not answer.usage for answer in answers)
    if without:
        remedy = (
            'Streams report token counts only on request: stream_options={"include_usage": True} with OpenAI, stream_usage=True with '
            "LangChain, where a proxy or another base URL is used; or pass usage=… to llm_response."
        )
        level: Level = "warn" if without * 2 > len(answers) else "note"
        yield Finding(level, "tokens", f"no token counts in {without:,} of the latest {counted(len(answers), 'model answer')}", remedy)
    if not twice and not without:
        yield Finding("good", "traces", f"no problem in the latest {counted(len(traces), 'trace')}")


def _is_doubled(trace: RecordedTrace) -> bool:
    """Tell whether neighbours are so alike, and so near in time, that one call was recorded in two ways."""
    steps = sorted((step for step in trace.walk() if isinstance(step, (LLMResponse, ToolCall))), key=lambda step: step.started_at or 0)
    return _has_twins([step for step in steps if isinstance(step, LLMResponse)]) or _nested_twin(steps)


def _has_twins(answers: Sequence[LLMResponse]) -> bool:
    pairs = itertools.pairwise(answers)
    return any(_near(one, other) and content_text(one.content) == content_text(other.content) != "" for one, other in pairs)


def _nested_twin(steps: Sequence[Step]) -> bool:
    """A tool inside a call of the same tool with the same arguments: the framework's handler and the decorator have both seen it."""
    calls = [step for step in steps if isinstance(step, ToolCall)]
    pairs = ((call, child) for call in calls for child in call.children if isinstance(child, ToolCall))
    return any(
        call.name == child.name and value_text(call.arguments) == value_text(child.arguments) and _near(call, child)
        for call, child in pairs
    )


def _near(one: Step, other: Step) -> bool:
    if one.started_at is None or other.started_at is None:
        return False
    return abs(one.started_at - other.started_at) < _NEAR_MICROSECONDS
