"""OpenTelemetry's spans → the trace API. A skin: what a span tells is worked out in `_translate`, and recorded in `_record`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SDKSpan

from ..._client import WhyOps
from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.place import Place
from ..._recording.trace_writer import TraceWriter
from ..._runtime import guard
from .._shared.origin import Origin, is_handled
from . import _translate
from ._langchain import UNATTACHED, starting_kind
from ._open import Open, OpenSpan, Root, being_raised, is_of_span, takers_of
from ._openinference import KIND
from ._record import Recorder
from ._told import Kind, Span

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

MOST_OPEN = 10_000
_MOST_EVENTS = 10_000

_HANDLED = {
    "openinference.instrumentation.langchain": "LangChain",
    "opentelemetry.instrumentation.langchain": "LangChain",
    "openinference.instrumentation.llama_index": "LlamaIndex",
    "opentelemetry.instrumentation.llamaindex": "LlamaIndex",
}
"""Who makes spans of what a handler of ours may record."""


class WhyOpsSpanProcessor(SpanProcessor):
    """Records the spans that agent frameworks make: prompts, answers, reasoning, tool calls, retrievals, errors.

    Give it to a tracer provider: `provider.add_span_processor(WhyOpsSpanProcessor())`. It never raises and never waits, and leaves the
    spans as they are, so that other processors export them as before.

    Args:
        client: Whose events these are; by default those of the trace that is current, else of the default client.
        trace_id: The trace of all spans. By default the trace that is current where a root span starts, else what its attributes name
            (`gen_ai.conversation.id`, `session.id`), else OpenTelemetry's trace id.
        external_user_id: The user. By default the current trace's, else what the root span names (`user.id`, `enduser.id`).
        llm_events: False leaves model calls out.
        capture_prompts: False records a prompt only where a user speaks last in it, and then whole. By default as the client says.
        record_steps: True records each agent's run as a span of its own. By default as the client says, which is False.
    """

    def __init__(
        self,
        client: WhyOps | None = None,
        *,
        trace_id: object = None,
        external_user_id: object = None,
        llm_events: bool = True,
        capture_prompts: bool | None = None,
        record_steps: bool | None = None,
    ) -> None:
        self._origin = Origin(
            "OpenTelemetry",
            client,
            trace_id,
            external_user_id,
            llm_events=llm_events,
            capture_prompts=capture_prompts,
            record_steps=record_steps,
        )
        self._open: Open = Open(MOST_OPEN, given_up=OpenSpan.leave)
        self._recorder = Recorder(self._origin, self._open)

    def on_start(self, span: SDKSpan, parent_context: Context | None = None) -> None:  # noqa: ARG002  (the SDK says what it takes)
        """Take note of a span, and record a tool's request, if its arguments are there."""
        self._starts(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Record what the span tells."""
        self._ends(span)

    def shutdown(self) -> None:
        """Forget the spans that are open."""
        self._open.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  (the SDK says what it takes)
        """Return True: all is recorded where it is told. `whyops.flush` delivers it."""
        return True

    @guard.recording
    def _starts(self, span: SDKSpan) -> None:
        id_ = _context_of(span).span_id
        if self._open.get(id_) is not None:
            return  # the processor was added twice
        parent = None if span.parent is None else self._open.touch(span.parent.span_id)
        open_ = OpenSpan(id_, parent, Root() if parent is None else parent.root, takers_of(id_), raised=being_raised())
        self._open.add(id_, open_)
        told = _plain(span)
        open_.is_unattached = told["scope"] in UNATTACHED
        if open_.is_unattached and (starting := starting_kind()) is not None:
            told["attributes"][KIND] = starting
        kind = self._kind_of(told)
        place = None if kind is None else self._place_of(open_, told)
        if kind is not None and place is not None:
            self._recorder.begin(open_, place, kind, told, lambda: bool(span.events))
            if open_.model is None and not open_.is_left_out:
                open_.enter(self._open)

    @guard.recording
    def _ends(self, span: ReadableSpan) -> None:
        open_ = self._open.take(_context_of(span).span_id)
        if open_ is None:
            return
        open_.leave()
        told = _plain(span)
        elapsed_ns = max((span.end_time or 0) - (span.start_time or 0), 0)
        if open_.place is None or _is_more(self._kind_of(told), open_.kind):
            self._begin_late(open_, told)
        if open_.place is not None:
            self._recorder.end(open_, open_.place, told, elapsed_ns)

    def _begin_late(self, open_: OpenSpan, told: Span) -> None:
        """Begin what a span turns out to stand for where it ends."""
        kind = self._kind_of(told)
        place = None if kind is None else open_.place or self._place_of(open_, told)
        if kind is None or place is None or (kind in {"model", "embedding"} and open_.holds_model):
            return
        self._recorder.begin(open_, place, kind, told)
        if open_.began is not None:
            open_.began = open_.began._replace(is_late=True)

    def _kind_of(self, told: Span) -> Kind | None:
        framework = _HANDLED.get(told["scope"])
        return None if framework is not None and is_handled(framework) else _translate.kind_of(told)

    def _place_of(self, open_: OpenSpan, told: Span) -> Place | None:
        """Return where a span's call is recorded: inside the span around it, else in the trace that is current, else in one of its own.

        A block of another trace wins over the span around it, which may be one that was left open before the block.
        """
        around, top = open_.around(), context.top()
        if around is not None and around.place is not None and top is not None and self._is_apart(top, around.place.trace):
            around = None
        attributes = told["attributes"]
        labels: Mapping[str, object]
        if around is not None and around.place is not None:
            trace, parent_id, labels = around.place.trace, around.inner_id, around.place.labels
            if top is not None and around.frame is not None and context.holds(top, around.frame) and self._origin.is_ours(top.trace):
                trace, parent_id, labels = top.trace, top.span_id, top.labels or labels
        else:
            found = self._trace_of(told)
            if found is None:
                return None
            trace, parent_id = found, context.span_id_in(found)
            labels = (top.labels or {}) if top is not None and trace.is_same_as(top.trace) else {}
        if not trace.recorder.enabled or not open_.takers.take(trace.recorder, self):
            return None
        agent = _translate.agent_of(told)
        conversation = _translate.trace_id_of(attributes)
        more = {} if conversation in {None, trace.id} or around is not None else {"conversation": conversation}
        return Place(trace, parent_id, {**labels, **({} if agent is None else {"agent": agent}), **more})

    def _is_apart(self, top: Frame, trace: TraceWriter) -> bool:
        """Tell whether what is current is a block of another trace that counts."""
        return not trace.is_same_as(top.trace) and not is_of_span(top) and self._origin.trace_id is None and self._origin.is_ours(top.trace)

    def _trace_of(self, told: Span) -> TraceWriter | None:
        attributes = told["attributes"]
        user_id = _translate.user_id_of(attributes)
        trace = self._origin.trace_under(context.current_writer(), user_id)
        return self._origin.new_trace(_translate.trace_id_of(attributes) or told["trace_id"], user_id) if trace is None else trace


def _is_more(kind: Kind | None, before: Kind | None) -> bool:
    """Tell whether a span that was taken for a part of a run turns out to be a call."""
    return before == "chain" and kind not in {None, "chain", "agent"}


def _context_of(span: ReadableSpan) -> SpanContext:
    found = span.get_span_context()
    assert found is not None  # noqa: S101  (only a span that was made by hand has none)
    return found


def _plain(span: ReadableSpan) -> dict[str, Any]:
    """Return a span as plain values."""
    status = span.status
    return {
        "name": str(span.name),
        "scope": span.instrumentation_scope.name if span.instrumentation_scope is not None else "",
        "trace_id": f"{_context_of(span).trace_id:032x}",
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name, "attributes": dict(event.attributes or {})} for event in span.events[:_MOST_EVENTS]],
        "status": {"code": status.status_code.name, "description": status.description},
    }
