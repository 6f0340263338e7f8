"""What is incomplete in a trace: values that were cut or redacted, calls without an end, events that are elsewhere or lost."""

from __future__ import annotations

from collections.abc import Iterator

from .._printable import counted
from .recorded import RecordedTrace
from .steps import LLMResponse, ToolCall

_MOST_REASON = 80


def gaps(trace: RecordedTrace, *, full: bool = False) -> list[str]:
    """Return what is missing, a few words each; nothing if nothing is known to be missing. `full` tells reasons to their end."""
    return [*_inside(trace), *_around(trace, None if full else _MOST_REASON)]


def _inside(trace: RecordedTrace) -> Iterator[str]:
    totals = trace.totals
    steps = list(trace.walk())
    open_calls = sum(1 for step in steps if not step.is_finished)
    headless = sum(1 for step in steps if step.first.type == "tool_call_response" and isinstance(step, ToolCall))
    not_called = sum(len(step.not_called) for step in steps if isinstance(step, LLMResponse))
    numbers = (
        (totals.truncated, "value cut", "values cut"),
        (totals.redacted, "value redacted", "values redacted"),
        (sum(event.not_captured for event in trace.events), "content not captured", "contents not captured"),
        (open_calls, "call without a response", "calls without a response"),
        (headless, "response without its request", "responses without their request"),
        (not_called, "tool call was requested but not recorded", "tool calls were requested but not recorded"),
        (
            sum(call.missing for call in trace.model_calls),
            "message of a prompt is not recorded here",
            "messages of prompts are not recorded here",
        ),
        (_strays(trace), "step inside a call that is not recorded", "steps inside calls that are not recorded"),
    )
    yield from (counted(number, one, several) for number, one, several in numbers if number)


def _around(trace: RecordedTrace, most: int | None) -> Iterator[str]:
    delivery = trace.delivery
    for reason, number in delivery.rejected.items():
        yield f"{counted(number, 'event')} rejected by the service ({' '.join(reason.split())[:most]})"
    numbers = (
        (delivery.waiting, "not delivered yet"),
        (delivery.left_out, "not at the service: never sent (`whyops push`), or left out by its sampling or a limit"),
        (delivery.unread, "at the service could not be read: look again"),
        (delivery.not_recorded, "could not be recorded"),
        (delivery.dropped, "of this agent dropped because the outbox was full, possibly of this trace"),
        (delivery.lost, "of this agent could not be recorded, possibly of this trace"),
    )
    yield from (f"{counted(number, 'event')} {what}" for number, what in numbers if number)
    if delivery.not_asked:
        yield delivery.not_asked.rstrip(".")


def _strays(trace: RecordedTrace) -> int:
    """Count the steps whose parent's span no event has; not those whose parent is in another agent's trace."""
    known = {None, *(event.span_id for event in trace.events)}
    if known.issuperset(event.parent_span_id for event in trace.events):
        return 0
    steps = (step for step in trace.walk() if not any("parentTraceId" in event.metadata for event in step.events))
    return sum(any(event.parent_span_id not in known for event in step.events) for step in steps)
