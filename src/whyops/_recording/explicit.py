"""What a caller's method records: an event from parts and options that may not be what they should be."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

from json.encoder import encode_basestring_ascii as quote
from typing import NamedTuple

from .._runtime import guard
from .._wire import line
from .._wire import write as contents
from .._wire.timestamps import stamp_of
from ..types import EventOptions, EventType
from . import context
from .options import TIME, given_text, note_odd, note_unknown, step_fields
from .trace_writer import TraceWriter


def record(trace: TraceWriter, event_type: EventType, parts: contents.Parts, options: EventOptions, **given: object) -> None:
    """Record an event of one of the nine pairs. `given` are those arguments that may not be readable into `parts`."""
    own = _read(event_type, options) if options else _NONE
    note_odd(event_type, *parts, given)
    content, metadata = trace.fitted(event_type, parts)
    if own.marks:
        metadata.pop(line.CALL_ID, None)
    if "external_user_id" in options:
        trace.set_user(options["external_user_id"])
    encoded = trace.encode_content(event_type, content)
    writer, parent_id = context.here(trace)
    writer.write(event_type, encoded, own.span_id, parent_id, metadata, own.fields, own.key, own.timestamp, own.marks)


class _Options(NamedTuple):
    """What a line holds of a caller's options; as `TraceWriter.write` takes it."""

    span_id: str | None = None
    fields: str = ""
    key: str | None = None
    timestamp: str | None = None
    marks: str = ""


_NONE = _Options()


def _read(event_type: EventType, options: EventOptions) -> _Options:
    """Return what can be read of options, and log what can't, and which are unknown."""
    note_unknown(event_type, options)
    return _Options(
        given_text(event_type, "span_id", options.get("span_id")),
        step_fields(event_type, options),
        quote(key) if (key := given_text(event_type, "idempotency_key", options.get("idempotency_key"))) else None,
        given_text(event_type, "timestamp", options.get("timestamp"), stamp_of, TIME),
        line.asked(given_text(event_type, "call_id", options.get("call_id"))),
    )


@guard.recording
def record_request(
    trace: TraceWriter, span_id: str, tool: object, tool_calls: object, latency_ms: object, requested_at: object, options: EventOptions
) -> None:
    """Record a `tool_call_request`, guarded by itself: its method returns the span's id also where this fails."""
    record(
        trace,
        "tool_call_request",
        contents.tool_call_request(tool, tool_calls, latency_ms, requested_at),
        {**options, "span_id": span_id},
        tool_calls=tool_calls,
        latency_ms=latency_ms,
        requested_at=requested_at,
    )
