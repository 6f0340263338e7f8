"""The span of the application's own OpenTelemetry that is current here, where that is loaded: nothing is imported for it."""

from __future__ import annotations

import sys

from .._runtime.safely import safely_or

FOREIGN = "opentelemetry.trace"


def traceparent() -> str | None:
    """Return the current span as W3C's header names it; None where there is none, or it isn't recorded."""
    module = sys.modules.get(FOREIGN)
    return None if module is None else safely_or(_read, module, None)


def _read(module: object) -> str | None:
    span = module.get_current_span()  # type: ignore[attr-defined]  # whatever calls itself so
    context = span.get_span_context()
    if not span.is_recording() or not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"
