"""The spans that have begun and not ended, and the frame that is current in the body of one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from opentelemetry import trace as otel

from ..._recording import context
from ..._recording.expected import Expected
from ..._recording.frames import Frame, Rehung
from ..._recording.model_call import ModelCall
from ..._recording.place import Place
from ..._recording.recorder import Recorder
from .._shared.open_table import OpenTable
from .._shared.tool_run import Began, ToolRun
from ._told import Kind

_MOST_ABOVE = 1_000
_MOST_FAILURES = 100
_BOUNDS = frozenset({"model", "embedding", "tool", "retriever", "agent"})
"""What is a call or a run of its own: a tool's model is not the one that asked for the tool, though some frameworks nest them so."""


@dataclass(slots=True, eq=False)
class Root:
    """What the spans under one root share: whether a model or a tool is told in it, and the texts of the failures that are recorded."""

    has_call: bool = False
    failures: list[str] = field(default_factory=list)


class Takers:
    """Who records a span: of several processors that record for the same client, the first."""

    __slots__ = ("__weakref__", "_recorders")

    def __init__(self) -> None:
        self._recorders: dict[int, tuple[Recorder, object]] = {}

    def take(self, recorder: Recorder, taker: object) -> bool:
        """Tell whether `taker` records the span for `recorder`: nobody else does."""
        return self._recorders.setdefault(id(recorder), (recorder, taker))[1] is taker


_takers: WeakValueDictionary[int, Takers] = WeakValueDictionary()
"""By the spans' ids, as long as a processor holds what it knows of one."""


def takers_of(id_: int) -> Takers:
    """Return who records a span that starts."""
    return _takers.setdefault(id_, Takers())


@dataclass(slots=True, eq=False)
class OpenSpan:
    """A span that has begun. It has a `place` if it is an agent's, a model's or a tool's, and something is recorded of it.

    `raised` is what was being handled where it began; `is_left_out` tells that somebody else records the call, and
    `claimed` is the name of the decorated function whose call it is, `holds_model` tells that a model's call inside is recorded, and
    `is_clients` that it is a provider's client that makes the span. One that is `is_unattached` is current nowhere, also in its body.
    """

    id: int
    parent: OpenSpan | None
    root: Root
    takers: Takers
    kind: Kind | None = None
    place: Place | None = None
    name: str = ""
    model: ModelCall | None = None
    is_asked: bool = False
    tool: ToolRun | None = None
    began: Began | None = None
    frame: SpanFrame | None = None
    expected: Expected | None = None
    raised: BaseException | None = None
    is_left_out: bool = False
    is_clients: bool = False
    is_unattached: bool = False
    claimed: str | None = None
    holds_model: bool = False
    has_failed: bool = False

    @property
    def inner_id(self) -> str | None:
        """The recorded span that what happens inside this one has around it."""
        if self.tool is not None:
            return self.tool.call.span_id
        if self.began is not None and not self.is_left_out:
            return self.began.span_id
        return None if self.place is None else self.place.parent_id

    def above(self) -> Iterator[OpenSpan]:
        """Yield the spans around this one, from the inside out."""
        span = self.parent
        for _ in range(_MOST_ABOVE):
            if span is None:
                return
            yield span
            span = span.parent

    def around(self) -> OpenSpan | None:
        """Return the span around this one of which something is recorded."""
        return next((span for span in self.above() if span.place is not None), None)

    @property
    def is_in_same_call(self) -> bool:
        """Whether a model's span is inside another of the same call: a framework's, around that of the provider's client.

        A client's span is in none of its own kind: what it is in stays current while its reader asks another model.
        """
        near = next((span for span in self.above() if span.kind in _BOUNDS), None)
        return near is not None and near.kind == self.kind and not (self.is_clients and near.is_clients)

    def begins_call(self) -> None:
        """Take note that a model or a tool is called: what failed before has not ended the spans around it."""
        self.root.has_call = True
        for span in self.above():
            span.has_failed = False
        if self.kind in {"model", "embedding"}:
            for span in self.above():
                if span.kind in _BOUNDS:
                    break
                span.holds_model = True

    def fails(self, message: str) -> None:
        """Take note that a failure is recorded, so that the spans which it passes through tell it not again."""
        self.has_failed = True
        for span in self.above():
            span.has_failed = True
        if len(self.root.failures) < _MOST_FAILURES:
            self.root.failures.append(message)

    def is_told(self, message: str) -> bool:
        """Tell whether a failure is one that was recorded further in."""
        return self.has_failed or any(told and told in message for told in self.root.failures)

    def enter(self, frames: Open) -> None:
        """Let what runs in the span's body find it."""
        if self.place is not None:
            self.frame = SpanFrame(self.place, self, frames)
            context.current.set(self.frame)

    def leave(self) -> None:
        """Let nothing be current because of the span."""
        if self.frame is not None:
            self.frame.over = True
            context.take_out(self.frame)


Open = OpenTable[int, OpenSpan]


class SpanFrame(Frame):
    """A frame that is live where OpenTelemetry's current span is the one it stands for, or one inside it."""

    __slots__ = ("_frames", "_span")

    def __init__(self, place: Place, span: OpenSpan, frames: Open) -> None:
        super().__init__(place.trace, span.inner_id, span.id, context.beneath())
        self.labels = place.labels
        self._span = span
        self._frames = frames

    def is_live(self) -> bool:
        """Tell whether this is the body of the span."""
        span = self._span
        return is_within(self._frames, span.id) or (span.is_unattached and span.kind in {"tool", "retriever"})

    def claims(self, observer: object) -> bool:
        """Tell whether the call is the tool's own. One whose arguments the span has not told yet records itself, in the span's place."""
        span = self._span
        name = getattr(observer, "name", None)
        if span.kind != "tool" or span.claimed is not None or name is None or span.name not in {"", name} or span.place is None:
            return False
        span.claimed = name
        if span.tool is None:
            span.is_left_out = True
            self.span_id = span.place.parent_id
        return span.tool is not None


def is_of_span(frame: Frame) -> bool:
    """Tell whether a frame is a span's, and no block's."""
    return isinstance(frame.frame if isinstance(frame, Rehung) else frame, SpanFrame)


def is_within(frames: Open, id_: int) -> bool:
    """Tell whether OpenTelemetry's current span is the one with this id, or one inside it."""
    current = frames.get(otel.get_current_span().get_span_context().span_id)
    return current is not None and (current.id == id_ or any(span.id == id_ for span in current.above()))


def being_raised(before: BaseException | None = None) -> BaseException | None:
    """Return the exception that passes through here, unless it did `before`."""
    error = sys.exc_info()[1]
    return None if error is before else error
