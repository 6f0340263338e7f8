"""Checks of the latest traces: calls that were recorded twice, model answers without token counts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from ..._printable import counted
from ..._render.format import content_text, value_text
from ..._render.terminal.doctor_table import Finding
from ..._store.reader import StoreReader
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import LLMResponse, Step, Thinking, ToolCall
from ...errors import WhyOpsError

LATEST = 20
_NEAR_MICROSECONDS = 250_000
_COUNTED = re.compile(r"([0-9a-f]{16})-\d+")


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
        yield Finding(
            "warn",
            "doubles",
            f"calls seem to be recorded twice in {counted(len(twice), 'trace')}, such as {twice[0]}",
            "Record each call in one way only: a model's through the proxy or a handler, a tool's with @whyops.tool or a handler; and "
            "register a handler once.",
        )
    answers = [step for trace in traces for step in trace.walk() if isinstance(step, LLMResponse)]
    without = sum(not answer.usage for answer in answers)
    if without:
        yield Finding(
            "warn" if without * 2 > len(answers) else "note",
            "tokens",
            f"no token counts in {without:,} of the latest {counted(len(answers), 'model answer')}",
            'Streams report token counts only on request: stream_options={"include_usage": True} with OpenAI, stream_usage=True with '
            "LangChain, where a proxy or another base URL is used; or pass usage=… to llm_response.",
        )
    if not twice and not without:
        yield Finding("good", "traces", f"no problem in the latest {counted(len(traces), 'trace')}")


def _is_doubled(trace: RecordedTrace) -> bool:
    """Return whether two steps are so alike, and so near in time, that one call was recorded in two ways."""
    steps = sorted((step for step in trace.walk() if not isinstance(step, Thinking)), key=lambda step: step.started_at or 0)
    return any(_are_twins(one, other) for one, other in itertools.pairwise(steps)) or any(map(_has_twin_inside, trace.calls))


def _are_twins(one: Step, other: Step) -> bool:
    """Return whether these are equal answers to one thing.

    Two turns may have the same answer: each has a message, or a tool's result, before it.
    """
    if not (isinstance(one, LLMResponse) and isinstance(other, LLMResponse)):
        return False
    return _near(one, other) and content_text(one.content) == content_text(other.content) != ""


def _has_twin_inside(call: ToolCall) -> bool:
    """Return whether a call of the same tool with the same arguments is inside: recorded by a framework's handler and the decorator."""
    return any(
        call.name == child.name and value_text(call.arguments) == value_text(child.arguments) and _near(call, child)
        for child in call.children
        if isinstance(child, ToolCall) and not _by_two_processes(call, child)
    )


def _by_two_processes(call: ToolCall, child: ToolCall) -> bool:
    """Return whether the call was sent to another process, which recorded it as well: an MCP server's tool, with both its ends."""
    here, there = _process_of(call.span_id) or _process_of(call.first.run_id), _process_of(child.span_id)
    return None not in (here, there) and here != there


def _process_of(id_: str | None) -> str | None:
    """Return what all ids of a process begin with, where an id is one of those that processes count."""
    found = _COUNTED.fullmatch(id_ or "")
    return found[1] if found else None


def _near(one: Step, other: Step) -> bool:
    if one.started_at is None or other.started_at is None:
        return False
    return abs(one.started_at - other.started_at) < _NEAR_MICROSECONDS
