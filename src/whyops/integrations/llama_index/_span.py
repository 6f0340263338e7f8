"""One of LlamaIndex's spans while it is open, and what is current inside it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.place import Place
from .._shared.origin import Origin
from .._shared.tool_run import ToolRun
from . import _runs, _workflows
from ._model_call import EmbeddingCall, FollowedCall

_UUID = 37
"""Characters at the end of a span's id: a dash, and a UUID."""


class Span:
    """One of LlamaIndex's spans while it is open. `place` is where what it contains is recorded."""

    is_run = False
    """Whether it is a whole run of a workflow or an agent."""

    agent: str | None = None
    bound: inspect.BoundArguments | None = None
    call: FollowedCall | None = None
    embedding: EmbeddingCall | None = None
    query: _runs.Query | None = None
    saw_tool = False
    stay: context.Stay | None = None
    step: ToolRun | None = None
    tool: ToolRun | None = None
    tool_call_id: str | None = None

    def __init__(self, id_: str, instance: object, parent: Span | None, place: Place) -> None:
        self.method = id_[:-_UUID].rpartition(".")[2]
        self.instance = instance
        self.parent = parent
        self.place = place
        self.replies: list[object] = []
        self.part = parent is not None and parent.instance is instance is not None and parent.is_recorded()

    def is_recorded(self) -> bool:
        """Tell whether the span is a recorded call, or one of the methods that such a call is made of."""
        return self.part or self.tool is not None or self.call is not None or self.embedding is not None

    def make_current(self, beneath: Frame | None) -> None:
        """Let what runs inside find its place. `beneath` is what `context.beneath` gives here."""
        frame = SpanFrame(self.place.trace, self.place.parent_id, self, beneath)
        frame.labels = self.place.labels
        self.stay = context.Stay(frame)

    def leave(self) -> None:
        """End that."""
        if self.stay is not None:
            self.stay.leave()
            self.stay = None


class SpanFrame(Frame):
    """What is current inside a span. The first call of a decorated function that is the tool's own is the span's own call."""

    __slots__ = ()

    def claims(self, observer: object) -> bool:
        """Let the tool's call tell."""
        return isinstance(self.owner, Span) and self.owner.tool is not None and self.owner.tool.claims(observer)


def place_of(origin: Origin, frame: Frame | None, parent: Span | None) -> Place | None:
    """Return where a span stands: in the trace that is asked for or current, else in its parent's, else in one of its own."""
    above = parent or (frame.owner if frame is not None and isinstance(frame.owner, Span) else None)
    tags = _workflows.tags()
    labels: Mapping[str, object] = {} if above is None else above.place.labels
    if tags:
        labels = {**labels, **tags}
    trace = None if frame is None else origin.trace_under(frame.trace)
    if above is not None and (trace is None or (above.is_run and above is parent and trace is above.place.trace)):
        trace, parent_id = above.place.trace, above.place.parent_id
    else:
        trace = trace or origin.new_trace()
        if trace is None:
            return None
        parent_id = context.span_id_under(frame, trace)
    if above is not None and above.place.trace is trace and above.place.parent_id == parent_id and above.place.labels is labels:
        return above.place
    return Place(trace, parent_id, labels)


def of_same_instance(span: Span) -> Iterator[Span]:
    """Give the spans around this one that are methods of the same object, innermost first."""
    above = span.parent
    while above is not None and above.instance is span.instance:
        yield above
        above = above.parent
