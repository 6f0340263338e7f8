"""Events of models that ask for tools, with ids, as a framework's handler records them."""

from __future__ import annotations

import json
from typing import Any

from whyops._trace.recorded import RecordedTrace

Event = dict[str, Any]


def trace_of(*events: Event) -> RecordedTrace:
    """Make a trace; each event has its place as its key, unless it names one."""
    return RecordedTrace.from_events(
        {"traceId": "t", "idempotencyKey": f"k{place}", "metadata": {}, **event} for place, event in enumerate(events)
    )


def asks(text: str, call_id: str | None = None, ids: Any = None, **more: Any) -> Event:
    """A user asks, in the prompt of a call."""
    return prompt([{"role": "user", "content": text}], call_id, [0] if ids is None and call_id else ids, **more)


def prompt(messages: list[Event], call_id: str | None = None, ids: Any = None, **more: Any) -> Event:
    """What is new in the prompt of a call."""
    metadata = {name: value for name, value in (("callId", call_id), ("promptIds", ids)) if value is not None}
    return {"eventType": "user_message", "content": messages, "metadata": metadata, **more}


def tells(text: str, tool_call_id: str = "c1") -> Event:
    """A message that tells a model what a tool gave."""
    return {"role": "tool", "content": text, "tool_call_id": tool_call_id}


def answers(text: str | None = None, call_id: str | None = None, chosen: Any = (), ids: Any = None, **more: Any) -> Event:
    """A model answers, or chooses tools: (id, name, arguments) each."""
    calls = [{"id": one, "name": name, "arguments": json.dumps(arguments)} for one, name, arguments in chosen]
    told = {"model": "m", "callId": call_id, "promptIds": ids, **more}
    metadata = {name: value for name, value in told.items() if value is not None}
    return {"eventType": "llm_response", "content": {"content": text, "toolCalls": calls}, "metadata": metadata}


def fails(call_id: str, ids: Any = None, **more: Any) -> Event:
    """A model's call fails."""
    metadata = {"callId": call_id, **({} if ids is None else {"promptIds": ids})}
    return {"eventType": "error", "content": {"message": "down", "type": "ConnectionError"}, "metadata": metadata, **more}


def runs(name: str, arguments: Any, result: Any, tool_call_id: str | None = "c1", **metadata: Any) -> list[Event]:
    """A tool runs: request and response."""
    span = f"{name}-{tool_call_id}-{id(result)}"
    told = {"tool": name, **({} if tool_call_id is None else {"tool_call_id": tool_call_id}), **metadata}
    called = {"toolCalls": [{"name": name, "arguments": arguments}]}
    results = result if isinstance(result, dict) else {"result": result}
    return [
        {"eventType": "tool_call_request", "content": called, "metadata": told, "spanId": span},
        {"eventType": "tool_call_response", "content": {**called, "toolResults": results}, "metadata": told, "spanId": span},
    ]


def shape(trace: RecordedTrace) -> list[tuple[int, str, str]]:
    """Return the steps: depth, kind, and what is said or called."""
    found: list[tuple[int, str, str]] = []
    waiting = [(step, 0) for step in reversed(trace.steps)]
    while waiting:
        step, depth = waiting.pop()
        said = getattr(step, "name", None) or getattr(step, "message", None) or getattr(step, "content", None)
        asked = step.asked.content if step.kind == "user" else said  # type: ignore[attr-defined]
        found.append((depth, step.kind, str(asked)))
        waiting += [(child, depth + 1) for child in reversed(step.children)]
    return found
