"""STAND-IN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..._default import default_client
from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.trace import writer_of
from ..._recording.trace_writer import TraceWriter

TRACE = "dev.whyops/trace"
Trust = Any


def carried(trace: TraceWriter, span_id: str | None) -> dict[str, str]:
    return {TRACE: f"{trace.id} {span_id or ''}"}


@contextmanager
def continued(meta: Mapping[str, Any], trust: Trust) -> Iterator[None]:
    text = meta.get(TRACE)
    if not text or not trust:
        yield
        return
    trace_id, _, span_id = text.partition(" ")
    writer = writer_of(default_client().trace(trace_id))
    frame = Frame(writer, span_id or None, None, context.beneath())
    context.current.set(frame)
    try:
        yield
    finally:
        context.leave(frame)
