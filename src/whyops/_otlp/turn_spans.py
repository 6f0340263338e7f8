"""A line, and what is known of its turn → its span. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._wire.read import RecordedEvent
from .._wire.used import Usage
from .asked import parameters
from .attributes import json_bytes, plain_or_json
from .ids import span_id_of
from .messages import output_message
from .span import CLIENT, INTERNAL, Span, SpanEvent, Value
from .turn import Turn

_OTHER = "_OTHER"


class Prompt(NamedTuple):
    """What a model was asked: the event that tells it, its messages, and the tools that it was offered, both as JSON; None is not told."""

    asked: RecordedEvent | None
    messages: bytes | None
    offered: bytes | None


def tool_span(turn: Turn, event: RecordedEvent, error: RecordedEvent | None) -> Span:
    """Return the span of a tool's call, of a run or of a step, from its response; `error` is what it raised."""
    name = event.tool or "unknown"
    stands_for = event.stands_for
    span = _span(turn, event, name if stands_for else f"execute_tool {name}", INTERNAL)
    attributes = span.attributes
    attributes |= _tool_attributes(event, name)
    failure = event.failure
    if failure is None and error is not None:
        failure = error.failure
    if failure is None and (result := event.result) is not None:
        attributes["output.value"], attributes["output.mime_type"] = plain_or_json(result)
        if not stands_for:
            attributes["gen_ai.tool.call.result"] = attributes["output.value"]
    return span if failure is None else _failed(span, failure, error)


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
    attributes = span.attributes
    _add_model(attributes, event, "chat")
    _add_prompt(attributes, prompt)
    reason = event.finish_reason
    if event.ended_by_itself or not event.is_unanswered:
        answer = json_bytes([output_message(thinking, event.answer, event.tool_calls, reason)])
        attributes["gen_ai.output.messages"] = attributes["output.value"] = answer  # in both, or an engine shows the model's name there
        attributes["output.mime_type"] = "application/json"
        attributes["gen_ai.response.model"] = event.model or "unknown"
    if reason:
        attributes["gen_ai.response.finish_reasons"] = (reason,)
    if (first := event.first_token_ms) is not None:
        attributes["gen_ai.client.operation.time_to_first_chunk"] = first / 1000
    if used := event.usage:
        _add_used(attributes, used, event.reasoning_tokens)
    return span


def _add_used(attributes: dict[str, Value], used: Usage, reasoned: int | None) -> None:
    attributes["gen_ai.usage.input_tokens"] = used.given
    attributes["gen_ai.usage.output_tokens"] = used.completion
    if used.cache_read:
        attributes["gen_ai.usage.cache_read.input_tokens"] = used.cache_read
    if used.cache_creation:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = used.cache_creation
        attributes["gen_ai.usage.cache_write.input_tokens"] = used.cache_creation
    if reasoned:
        attributes["gen_ai.usage.reasoning.output_tokens"] = reasoned


def failed_chat_span(turn: Turn, error: RecordedEvent, prompt: Prompt) -> Span:
    """Return the span of a model's call that gave an error in place of an answer: from its question on, where that was recorded."""
    span = _span(turn, error, f"chat {error.model or 'unknown'}", CLIENT)
    _add_model(span.attributes, error, "chat")
    _add_prompt(span.attributes, prompt)
    if prompt.asked is not None and prompt.asked.at is not None:
        span.start = min(prompt.asked.at, span.start)
    return _failed(span, error.failure, error)


def embedding_span(turn: Turn, event: RecordedEvent, request: RecordedEvent | None) -> Span:
    """Return the span of an embedding, with the texts of its request."""
    span = _span(turn, event, f"embeddings {event.model or 'unknown'}", CLIENT)
    _add_model(span.attributes, event, "embeddings")
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
    attributes: dict[str, Value] = {"gen_ai.operation.name": "invoke_agent"}
    for name, text in (("input", turn.question), ("output", turn.answer)):
        if text is not None:
            attributes |= {f"{name}.value": text, f"{name}.mime_type": "text/plain"}
    began = turn.ended if turn.began is None else turn.began
    made = Span(turn.agent, turn.otlp_id, turn.root_id, None, f"invoke_agent {turn.agent}", INTERNAL, began, turn.ended, attributes)
    made.failure, made.links, made.common = turn.failure, turn.links, turn.common(None)
    return made


def _span(turn: Turn, event: RecordedEvent, name: str, kind: int) -> Span:
    """Return a span of the turn with what all have in common; it took as long as the event says, up to when that was recorded."""
    end = turn.ended if event.at is None else event.at
    start = end - round((event.latency_ms or 0.0) * 1000)
    own = span_id_of(turn.tree, event.span_id or event.key or f"{event.type} {end}")
    parent = event.parent_span_id
    around = turn.root_id if parent is None else span_id_of(turn.tree, parent)
    attributes = {} if event.ended_by_itself else _more(event)
    made = Span(turn.agent, turn.otlp_id, own, around, name, kind, start if start > 0 else end, end, attributes)
    made.common = turn.common(event.acting_agent)
    return made


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
    text = json_bytes(calls[0].arguments if len(calls) == 1 else [call.arguments for call in calls])
    if event.stands_for:
        kind = "AGENT" if event.stands_for == "run" else "CHAIN"
        return {"input.value": text, "input.mime_type": "application/json", "openinference.span.kind": kind}
    attributes: dict[str, Value] = {
        "input.value": text,
        "input.mime_type": "application/json",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": text,
    }
    if call_id := event.tool_call_id:
        attributes["gen_ai.tool.call.id"] = call_id
    return attributes


def _add_model(attributes: dict[str, Value], event: RecordedEvent, operation: str) -> None:
    attributes["gen_ai.operation.name"] = operation
    attributes["gen_ai.provider.name"] = event.provider or "unknown"
    attributes["gen_ai.request.model"] = event.model or "unknown"
    if params := event.params:
        attributes |= parameters(params)


def _add_prompt(attributes: dict[str, Value], prompt: Prompt) -> None:
    asked, text, offered = prompt
    if asked is not None and (params := asked.params):
        attributes |= parameters(params)
    if text is not None:
        attributes["gen_ai.input.messages"] = text
    if offered is not None:
        attributes["gen_ai.tool.definitions"] = offered


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
