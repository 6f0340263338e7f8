"""What a caller's method records: an event from parts and options that may not be what they should be."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote

from .._runtime import guard
from .._wire import write as contents
from ..types import EventOptions, EventType
from . import context
from .options import id_of, is_given, note_odd, note_unknown, step_fields, timestamp
from .trace_writer import TraceWriter


def record(trace: TraceWriter, event_type: EventType, parts: contents.Parts, options: EventOptions, **given: object) -> None:
    """Record an event of one of the nine pairs. `given` are those arguments that may not be readable into `parts`."""
    note_unknown(event_type, options)
    note_odd(event_type, *parts, given)
    content, metadata = trace.fitted(event_type, parts)
    if "external_user_id" in options:
        trace.set_user(options["external_user_id"])
    span_id, key = options.get("span_id"), options.get("idempotency_key")
    trace.write(
        event_type,
        trace.recorder.encode(content),
        span_id=id_of(event_type, "span_id", span_id) if is_given(span_id) else None,
        parent_id=context.span_id_in(trace),
        metadata=metadata,
        fields=step_fields(event_type, options),
        key=quote(safe_key) if is_given(key) and (safe_key := id_of(event_type, "idempotency_key", key)) else None,
        timestamp=timestamp(event_type, options.get("timestamp")),
    )


@guard.recording
def record_request(
    trace: TraceWriter, span_id: str, tool: object, tool_calls: object, latency_ms: object, requested_at: object, options: EventOptions
) -> None:
    """Record a `tool_call_request`, guarded by itself: its method returns the span's id also where this fails."""
    parts = contents.tool_call_request(tool, tool_calls, latency_ms, requested_at)
    given = {"tool_calls": tool_calls, "latency_ms": latency_ms, "requested_at": requested_at}
    record(trace, "tool_call_request", parts, {**options, "span_id": span_id}, **given)


def span_id_of(trace: TraceWriter, options: EventOptions) -> str:
    """Return the span id that a caller gave to a `tool_call_request`, made safe, else a new one."""
    given = options.get("span_id")
    return (id_of("tool_call_request", "span_id", given) if is_given(given) else None) or trace.recorder.ids.next()
