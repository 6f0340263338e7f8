"""A trace → plain data: the steps as a tree, and all events as they were recorded."""

from __future__ import annotations

from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.steps import Embedding, ErrorStep, LLMResponse, Prompt, Step, Thinking, ToolCall, UserMessage

Data = dict[str, object]


def trace_data(trace: RecordedTrace) -> Data:
    """Return the trace as JSON types. Each step names its events by their places in `events`."""
    totals = trace.totals
    places = {id(event): index for index, event in enumerate(trace.events)}
    return {
        "traceId": trace.trace_id,
        "agentName": trace.agent_name,
        "externalUserId": trace.external_user_id,
        "durationMs": trace.duration_ms,
        "totals": {
            "events": totals.events,
            "toolCalls": totals.calls,
            "errors": totals.errors,
            "openCalls": totals.open_calls,
            "usage": {
                "promptTokens": totals.usage.prompt,
                "completionTokens": totals.usage.completion,
                "cacheReadTokens": totals.usage.cache_read,
                "cacheCreationTokens": totals.usage.cache_creation,
                "otherTokens": totals.usage.unsplit,
            },
        },
        "notHere": gaps(trace),
        "steps": [step_data(step, places) for step in trace.steps],
        "events": [event.raw for event in trace.events],
    }


def step_data(step: Step, places: dict[int, int]) -> Data:
    """Return a step and those inside it; what isn't known is left out."""
    data: Data = {
        "kind": step.kind,
        "spanId": step.span_id,
        "startedAt": step.first.raw.get("timestamp"),
        "latencyMs": step.latency_ms,
        **_details(step),
        "events": [places[id(event)] for event in step.events],
        "steps": [step_data(child, places) for child in step.children],
    }
    return {name: value for name, value in data.items() if value is not None and value != []}


def _details(step: Step) -> Data:
    if isinstance(step, ToolCall):
        return {
            "tool": step.name,
            "arguments": step.arguments,
            "isFinished": step.is_finished,
            "error": step.error,
            "interrupted": step.interrupted,
            "result": step.result,
        }
    if isinstance(step, LLMResponse):
        requested = [{"name": tool.name, "arguments": tool.arguments} for tool in step.requested]
        return {"model": step.model, "content": step.content, "chosenTools": requested, "finishReason": step.finish_reason}
    if isinstance(step, Prompt):
        return {"messages": [{"role": message.role, "content": message.content} for message in step.messages]}
    if isinstance(step, UserMessage):
        return {
            "messages": [{"role": message.role, "content": message.content} for message in step.messages],
            "toolsOffered": step.offered,
        }
    if isinstance(step, Thinking):
        return {"thinking": step.text}
    if isinstance(step, Embedding):
        return {"model": step.model, "inputs": len(step.inputs) or None, "vectors": step.count, "isFinished": step.is_finished}
    if isinstance(step, ErrorStep):
        return {"error": step.message, "status": step.status}
    return {"eventType": step.first.type, "content": step.first.content}
