"""A trace → plain data: the steps as a tree, and all events as they were recorded."""

from __future__ import annotations

from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.step_context import Choice, Rank
from .._trace.steps import Embedding, ErrorStep, LLMResponse, Prompt, Step, Thinking, ToolCall, UserMessage

Data = dict[str, object]


def trace_data(trace: RecordedTrace) -> Data:
    """Return the trace as JSON types. Each step names its events by their places in `events`."""
    totals = trace.totals
    places = {id(event): index for index, event in enumerate(trace.events)}
    around = {} if trace.parent_trace_id is None else {"parentTraceId": trace.parent_trace_id}
    return {
        "traceId": trace.trace_id,
        **around,
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
        **_actor(step),
        "try": _rank(step.context.attempt),
        "parallel": _rank(step.context.parallel),
        "isResumed": step.context.is_resumed or None,
        **_details(step),
        "events": [places[id(event)] for event in step.events],
        "steps": [step_data(child, places) for child in step.children],
    }
    return {name: value for name, value in data.items() if value is not None and value != []}


def _actor(step: Step) -> Data:
    actor = step.actor
    return {
        "agent": actor.agent,
        "node": actor.node,
        "middleware": actor.middleware,
        "insideNodes": actor.around,
        "queryEngine": actor.query_engine,
        "postprocessor": actor.postprocessor,
    }


def _rank(rank: Rank | None) -> Data | None:
    return None if rank is None else {"number": rank.number, "of": rank.of}


def _chosen(choice: Choice) -> Data:
    """Return a tool that a model chose; with what the model was told, where no tool is known to have run."""
    told = {"told": choice.told.value} if choice.told is not None and not choice.has_run else {}
    return {"id": choice.call.id, "name": choice.call.name, "arguments": choice.call.arguments, **told}


def _changed(step: ToolCall) -> Data:
    chosen, told = step.changed_from, step.told_instead
    return {
        "chosen": None if chosen is None else {"name": chosen.name, "arguments": chosen.arguments},
        "told": None if told is None else told.value,
    }


def _cut_off(step: Step) -> Data:
    """Return that nothing answered a prompt before its process ended, where that is known."""
    return {} if step.is_finished else {"isFinished": False}


def _details(step: Step) -> Data:
    if isinstance(step, ToolCall):
        return {
            "tool": step.name,
            "arguments": step.arguments,
            "isFinished": step.is_finished,
            "error": step.error,
            "interrupted": step.interrupted,
            "result": step.result,
            **_changed(step),
        }
    if isinstance(step, LLMResponse):
        return {
            "model": step.model,
            "content": step.content,
            "chosenTools": [_chosen(choice) for choice in step.context.choices],
            "finishReason": step.finish_reason,
            "interrupted": step.interrupted,
        }
    if isinstance(step, Prompt):
        return {"messages": [{"role": message.role, "content": message.content} for message in step.messages], **_cut_off(step)}
    if isinstance(step, UserMessage):
        return {
            "messages": [{"role": message.role, "content": message.content} for message in step.messages],
            "toolsOffered": step.offered,
            **_cut_off(step),
        }
    if isinstance(step, Thinking):
        return {"thinking": step.text}
    if isinstance(step, Embedding):
        return {"model": step.model, "inputs": len(step.inputs) or None, "vectors": step.count, "isFinished": step.is_finished}
    if isinstance(step, ErrorStep):
        return {"error": step.message, "status": step.status, "model": step.model}
    return {"eventType": step.first.type, "content": step.first.content}
