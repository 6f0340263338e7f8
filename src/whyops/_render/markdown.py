"""A trace → compact Markdown within a budget of tokens, to paste into a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._printable import counted, printable
from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.steps import Embedding, Failure, ModelAnswer, OtherEvent, Step, Thinking, ToolCall, UserMessage
from .format import arguments_text, content_text, duration_text, usage_facts, value_text

USUAL_BUDGET = 4000
_BYTES_PER_TOKEN = 3
_LIMITS = (100_000, 4000, 2000, 1000, 500, 250, 120, 60, 30)
_LEFT_OUT = "- … {} left out here"


def estimated_tokens(text: str) -> int:
    """Return a number of tokens that a text is unlikely to exceed."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def render_brief(trace: RecordedTrace, *, budget: int = USUAL_BUDGET, encoding: str = "utf-8") -> str:
    """Return the decision path as a Markdown list of at most `budget` tokens, by our estimate.

    Values are cut shorter until all steps fit. Where they don't even so, steps are left out, and counted: users' messages, failures, the
    beginning and the end stay longest.
    """
    head = printable(_head(trace), encoding).replace("\\n", "\n")
    lines: list[_Line] = []
    for limit in _LIMITS:
        lines = [line for step in trace.steps for line in _lines(step, 0, limit, encoding)]
        text = "\n".join([head, "", *(line.text for line in lines)]) + "\n"
        if estimated_tokens(text) <= budget:
            return text
    kept = _chosen(lines, budget - estimated_tokens(head) - 2)
    return "\n".join([head, "", *_joined(lines, kept)]) + "\n"


@dataclass(frozen=True)
class _Line:
    text: str
    matters: bool = False


def _head(trace: RecordedTrace) -> str:
    totals = trace.totals
    facts = [f"{name} {value}" for name, value in (("agent", trace.agent_name), ("user", trace.external_user_id)) if value]
    facts += [counted(totals.events, "event"), counted(totals.calls, "tool call"), counted(totals.errors, "error")]
    facts += [duration_text(trace.duration_ms or None), " ".join(usage_facts(totals.usage))]
    lines = [f"# Trace {trace.trace_id}", "", ", ".join(fact for fact in facts if fact)]
    missing = gaps(trace)
    return "\n".join([*lines, f"Not here: {', '.join(missing)}"] if missing else lines)


def _lines(step: Step, depth: int, limit: int, encoding: str) -> Iterator[_Line]:
    notes = ", ".join(part for part in (*usage_facts(step.usage), duration_text(step.latency_ms)) if part)
    text = f"{'  ' * depth}- {_words(step, limit)}{f' ({notes})' if notes else ''}"
    matters = isinstance(step, (UserMessage, Failure)) or (isinstance(step, ToolCall) and (step.error is not None or not step.is_finished))
    yield _Line(printable(text, encoding), matters)
    if isinstance(step, ModelAnswer):
        for tool in step.not_called:
            arguments = _cut(arguments_text(tool.arguments), limit)
            yield _Line(printable(f"{'  ' * (depth + 1)}- chosen, no call recorded: {tool.name}({arguments})", encoding))
    for child in step.children:
        yield from _lines(child, depth + 1, limit, encoding)


def _words(step: Step, limit: int) -> str:
    if isinstance(step, ToolCall):
        return f"{step.name}({_cut(arguments_text(step.arguments), limit)}) {_outcome(step, limit)}"
    if isinstance(step, ModelAnswer):
        return f"model {step.model}{_after(content_text(step.content), limit)}"
    if isinstance(step, UserMessage):
        offered = "" if step.offered is None else f" [{counted(step.offered, 'tool')} offered]"
        return f"**{step.asked.role}**{_after(content_text(step.asked.content), limit)}{offered}"
    if isinstance(step, Thinking):
        return f"thinking{_after(content_text(step.text), limit)}"
    if isinstance(step, Embedding):
        return f"embedding {step.model or ''} of {counted(len(step.inputs), 'text')}"
    if isinstance(step, Failure):
        return f"**ERROR**{_after(step.message, limit)}"
    assert isinstance(step, OtherEvent)  # noqa: S101 -- there is no other kind
    return f"{step.first.type}{_after(value_text(step.first.content), limit)}"


def _outcome(step: ToolCall, limit: int) -> str:
    if step.error is not None:
        return f"**FAILED**: {_cut(step.error, max(limit, 200))}"
    if step.interrupted is not None and step.result is None:
        return f"**INTERRUPTED** ({step.interrupted})"
    return f"→ {_cut(value_text(step.result), limit)}" if step.is_finished else "**NEVER ANSWERED**"


def _after(text: str, limit: int) -> str:
    return f": {_cut(text, limit)}" if text.strip() else ""


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…[+{len(text) - limit}]"


def _chosen(lines: Sequence[_Line], budget: int) -> set[int]:
    """Choose lines: those that matter, from the end; then from both ends towards the middle."""
    first, last = 0, len(lines) - 1
    order = [last, *(index for index in range(last, -1, -1) if lines[index].matters)]
    while first <= last:
        order += [first, last]
        first, last = first + 1, last - 1
    kept: set[int] = set()
    for index in order:
        cost = estimated_tokens(lines[index].text) + 1
        gap = estimated_tokens(_LEFT_OUT) + 2
        if index not in kept and cost + gap <= budget:
            kept.add(index)
            budget -= cost + (gap if index - 1 not in kept or index + 1 not in kept else 0)
    return kept


def _joined(lines: Sequence[_Line], kept: set[int]) -> Iterator[str]:
    missing = 0
    for index, line in enumerate(lines):
        if index not in kept:
            missing += 1
            continue
        if missing:
            yield _LEFT_OUT.format(counted(missing, "step"))
        missing = 0
        yield line.text
    if missing:
        yield _LEFT_OUT.format(counted(missing, "step"))
