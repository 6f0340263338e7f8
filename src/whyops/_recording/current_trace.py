"""`current_trace`: which trace's block runs here."""

from __future__ import annotations

from . import context
from .blocks import trace_of
from .trace import ToolSpan, Trace


def current_trace() -> Trace | None:
    """Return the trace whose block is running here, or None."""
    top = context.top()
    if top is None:
        return None
    for frame in context.outward(top):  # the object that users have of it: from who entered the frame, or one around it
        if frame.trace is top.trace and isinstance(frame.owner, (Trace, ToolSpan)):
            return frame.owner if isinstance(frame.owner, Trace) else frame.owner.trace
    return trace_of(Trace, top.trace)
