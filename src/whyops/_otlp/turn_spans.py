"""A line, and what is known of its turn → its span. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._wire.read import RecordedEvent
from .asked import parameters
from .attributes import MAX_CONVERSATION, json_text, plain_or_json
from .ids import root_id_of, span_id_of, trace_id_of
from .messages import output_message
from .span import CLIENT, INTERNAL, Span, SpanEvent, Value
from .turn import Turn

_OTHER = "_OTHER"


class Prompt(NamedTuple):
    """What a model was asked: the event that tells it, its messages as JSON, and the tools that it was offered, as far as they are told."""

    asked: RecordedEvent | None
    messages: str | None
    offered: str | None


def tool_span(turn: Turn, event: RecordedEvent, error: RecordedEvent | None) -> Span:
    """Return the span of a tool's call, of a run or of a step, from its response; `error` is what it raised."""
    name = event.tool or "unknown"
    span = _span(turn, event, name if event.stands_for else f"execute_tool {name}", INTERNAL)
    span.attributes |= _tool_attributes(event, name)
    failure = event.failure
    if failure is None and error is not None:
        failure = error.failure
    if failure is None and (result := event.result) is not None:
        text, kind = plain_or_json(result)
        span.attributes |= {"output.value": text, "output.mime_type": kind}
        if not event.stands_for:
            span.attributes["gen_ai.tool.call.result"] = text
    return _failed(span, failure, error)


def unanswered_span(turn: Turn, request: RecordedEvent, error: RecordedEvent | None) -> Span:
    """Return the span of a call whose end nobody told: it ends with the turn."""
    if request.type == "embedding_request":
        span = _span(turn, request, "embeddings", CLIENT)
        span.attributes |= {"gen_ai.operation.name": "embeddings", **_inputs(request)}
    else:
        name = request.tool or "unknown"
        span = _span(turn, request, name if request.stands_for else f"execute_tool {name}", INTERNAL)
        span.attributes |= _tool_attributes(request, name)
    span.end = max(span.start, turn.ended)
    if error is None:
        span.attributes["whyops.unanswered"] = True
    return _failed(span, None if error is None else error.failure, error)


def chat_span(turn: Turn, event: RecordedEvent, prompt: Prompt, thinking: Iterable[object]) -> Span:
    """Return the span of a model's call from its answer."""
    span = _span(turn, event, f"chat {event.model or 'unknown'}", CLIENT)
    span.attributes |= _model_attributes(event, "chat") | _prompt_attributes(prompt)
    if not event.is_unanswered:
        answer = json_text([output_message(thinking, event.answer, event.tool_calls, event.finish_reason)])
        span.attributes |= {"gen_ai.output.messages": answer, "gen_ai.response.model": event.model or "unknown"}
        span.attributes |= {"output.value": answer, "output.mime_type": "application/json"}  # else an engine has the model's name there
    if event.finish_reason:
        span.attributes["gen_ai.response.finish_reasons"] = (event.finish_reason,)
    if (first := event.first_token_ms) is not None:
        span.attributes["gen_ai.client.operation.time_to_first_chunk"] = first / 1000
    span.attributes |= _used(event)
    return span


def _used(event: RecordedEvent) -> dict[str, Value]:
    used = event.usage
    if not used:
        return {}
    counts: dict[str, Value] = {"gen_ai.usage.input_tokens": used.given, "gen_ai.usage.output_tokens": used.completion}
    if used.cache_read:
        counts["gen_ai.usage.cache_read.input_tokens"] = used.cache_read
    if used.cache_creation:
        counts["gen_ai.usage.cache_creation.input_tokens"] = used.cache_creation
        counts["gen_ai.usage.cache_write.input_tokens"] = used.cache_creation
    if reasoned := event.reasoning_tokens:
        counts["gen_ai.usage.reasoning.output_tokens"] = reasoned
    return counts


def failed_chat_span(turn: Turn, error: RecordedEvent, prompt: Prompt) -> Span:
    """Return the span of a model's call that gave an error in place of an answer: from its question on, where that was recorded."""
    span = _span(turn, error, f"chat {error.model or 'unknown'}", CLIENT)
    span.attributes |= _model_attributes(error, "chat") | _prompt_attributes(prompt)
    if prompt.asked is not None and prompt.asked.at is not None:
        span.start = min(prompt.asked.at, span.start)
    return _failed(span, error.failure, error)


def embedding_span(turn: Turn, event: RecordedEvent, request: RecordedEvent | None) -> Span:
    """Return the span of an embedding, with the texts of its request."""
    span = _span(turn, event, f"embeddings {event.model or 'unknown'}", CLIENT)
    span.attributes |= _model_attributes(event, "embeddings")
    if request is not None:
        span.attributes |= _inputs(request)
    if event.usage:
        span.attributes |= {"gen_ai.usage.input_tokens": event.usage.given, "gen_ai.usage.output_tokens": 0}
    return span


def error_span(turn: Turn, error: RecordedEvent) -> Span:
    """Return the span of an error that is no call's."""
    span = _span(turn, error, "error", INTERNAL)
    return _failed(span, error.failure, error)


def root_span(turn: Turn) -> Span | None:
    """Return the span around all others of a turn; None of one that another agent's trace asked for: there it has one."""
    if turn.tree != turn.trace_id:
        return None
    attributes: dict[str, Value] = {"gen_ai.operation.name": "invoke_agent", **_common(turn, turn.agent)}
    for name, text in (("input", turn.question), ("output", turn.answer)):
        if text is not None:
            attributes |= {f"{name}.value": text, f"{name}.mime_type": "text/plain"}
    trace_id, span_id = trace_id_of(turn.trace_id, turn.run_id), root_id_of(turn.trace_id, turn.run_id)
    began = turn.ended if turn.began is None else turn.began
    name = f"invoke_agent {turn.agent}"
    return Span(turn.agent, trace_id, span_id, None, name, INTERNAL, began, turn.ended, attributes, turn.failure, (), turn.links)


def _span(turn: Turn, event: RecordedEvent, name: str, kind: int) -> Span:
    """Return a span of the turn with what all have in common; it took as long as the event says, up to when that was recorded."""
    end = turn.ended if event.at is None else event.at
    took = event.latency_ms or 0.0
    start = end - round(took * 1000)
    own = span_id_of(turn.tree, event.span_id or event.key or f"{event.type} {end}")
    parent = event.parent_span_id
    around = root_id_of(turn.tree, turn.run_id) if parent is None else span_id_of(turn.tree, parent)
    attributes = _common(turn, event.actor.agent or turn.agent) | _more(event)
    return Span(turn.agent, trace_id_of(turn.tree, turn.run_id), own, around, name, kind, start if start > 0 else end, end, attributes)


def _common(turn: Turn, agent: str) -> dict[str, Value]:
    common: dict[str, Value] = {
        "gen_ai.conversation.id": turn.tree[:MAX_CONVERSATION],
        "gen_ai.agent.name": agent,
        "whyops.trace_id": turn.trace_id,
    }
    return common if turn.user is None else {**common, "user.id": turn.user}


def _more(event: RecordedEvent) -> dict[str, Value]:
    """Return what an event says of its end, if that was not its own."""
    more: dict[str, Value] = {}
    if event.interrupted:
        more["whyops.interrupted"] = event.interrupted
    if event.closed_early:
        more["whyops.closed_early"] = True
    if event.is_unanswered:
        more["whyops.unanswered"] = True
    return more


def _tool_attributes(event: RecordedEvent, name: str) -> dict[str, Value]:
    calls = event.tool_calls
    arguments = calls[0].arguments if len(calls) == 1 else [call.arguments for call in calls]
    text = json_text(arguments)
    attributes: dict[str, Value] = {"input.value": text, "input.mime_type": "application/json"}
    if event.stands_for:
        return {**attributes, "openinference.span.kind": "AGENT" if event.stands_for == "run" else "CHAIN"}
    attributes |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.arguments": text}
    if event.tool_call_id:
        attributes["gen_ai.tool.call.id"] = event.tool_call_id
    return attributes


def _model_attributes(event: RecordedEvent, operation: str) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": event.provider or "unknown",
        "gen_ai.request.model": event.model or "unknown",
    }
    return attributes | parameters(event.params) if event.params else attributes


def _prompt_attributes(prompt: Prompt) -> dict[str, Value]:
    asked, text, offered = prompt
    attributes = {} if asked is None or not asked.params else parameters(asked.params)
    if text is not None:
        attributes["gen_ai.input.messages"] = text
    if offered is not None:
        attributes["gen_ai.tool.definitions"] = offered
    return attributes


def _inputs(request: RecordedEvent) -> dict[str, Value]:
    inputs: Sequence[object] = request.inputs
    text, kind = plain_or_json(inputs[0] if len(inputs) == 1 else list(inputs))
    return {"input.value": text, "input.mime_type": kind}


def _failed(span: Span, failure: str | None, error: RecordedEvent | None) -> Span:
    """Let a span have failed, where it has; `error` is what was recorded of it, as an event of the span, once."""
    if failure is None:
        return span
    span.failure = failure
    span.attributes["error.type"] = (error.error_type if error is not None else None) or _OTHER
    if error is not None:
        message = (error.failure or "").removeprefix(f"{error.error_type}: ")
        told = {"exception.type": error.error_type, "exception.message": message, "exception.stacktrace": error.stack}
        at = span.end if error.at is None else error.at
        span.events = (SpanEvent("exception", at, {name: value for name, value in told.items() if value}),)
    return span
