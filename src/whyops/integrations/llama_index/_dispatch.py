"""`instrument()`: two handlers on LlamaIndex's dispatcher, which tells of queries, models, tools, agents and workflows."""

from __future__ import annotations

import inspect
from typing import Any

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.span import BaseSpan
from llama_index_instrumentation.span_handlers import BaseSpanHandler

from ..._client import WhyOps
from ..._runtime import guard
from .._shared.instrumentation import InForce, Instrumentation
from .._shared.origin import Origin
from ._spans import Spans


def instrument(
    client: WhyOps | None = None,
    *,
    trace_id: object = None,
    external_user_id: object = None,
    llm_events: bool = True,
    capture_prompts: bool | None = None,
    record_steps: bool | None = None,
) -> Instrumentation:
    """Record what LlamaIndex does: queries, chat turns, agents and workflows, each with all below it in one trace.

    Call it once; called again, nothing is recorded twice, and the latest call's arguments hold for what begins from then on, until its
    `uninstrument()`. The dispatcher is left as it was found once no call is in force. A classic handler that is there as well is inactive.

    Args:
        client: Whose events they are; by default the default client's, as it is when an operation begins.
        trace_id: The trace of everything, also where another is current. Left out: the current trace, or one for each root operation.
        external_user_id: The user, for traces that are made here.
        llm_events: False leaves model calls to the proxy. Calls that are seen to go through it are left to it anyway.
        capture_prompts: False records a prompt only where a user speaks last in it, and then whole. By default as the client says.
        record_steps: True records each step of a workflow or an agent as a span of its own: input, output, time, error. The service
            counts each span against the 1,000 that it keeps of an agent. By default as the client says, which is False.
    """
    return in_force.add(
        Origin(
            "LlamaIndex",
            client,
            trace_id,
            external_user_id,
            llm_events=llm_events,
            capture_prompts=capture_prompts,
            record_steps=record_steps,
        )
    )


class _SpanHandler(BaseSpanHandler[BaseSpan]):
    """Hands spans on. What LlamaIndex's base class would keep of them is kept by nobody."""

    @guard.recording
    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,  # noqa: ARG002  (LlamaIndex's signature)
        **_: Any,
    ) -> None:
        _spans.enter(id_, bound_args, instance, parent_id)

    @guard.recording
    def span_exit(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002  (LlamaIndex's signature)
        instance: Any | None = None,  # noqa: ARG002  (LlamaIndex's signature)
        result: Any | None = None,
        **_: Any,
    ) -> None:
        _spans.exit(id_, result)

    @guard.recording
    def span_drop(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002  (LlamaIndex's signature)
        instance: Any | None = None,  # noqa: ARG002  (LlamaIndex's signature)
        err: BaseException | None = None,
        **_: Any,
    ) -> None:
        _spans.drop(id_, err)

    def capture_propagation_context(self) -> dict[str, Any]:
        """Tell where a run is started that may go on in another process."""
        return _spans.carried() or {}

    @guard.recording
    def restore_propagation_context(self, context: dict[str, Any]) -> None:
        """Let a run go on in the trace in which it was started."""
        _spans.carry_on(context)

    def new_span(self, *_: Any, **__: Any) -> None:
        """Make none: spans are followed elsewhere."""

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> None:
        """Nothing is kept here."""

    def prepare_to_drop_span(self, *_: Any, **__: Any) -> None:
        """Nothing is kept here."""


class _EventHandler(BaseEventHandler):
    """Hands events on."""

    def handle(self, event: BaseEvent, **_: Any) -> None:
        if type(event) in _spans.heard:  # most are not
            self._hear(event)

    @guard.recording
    def _hear(self, event: BaseEvent) -> None:
        _spans.hear(event)


_span_handler = _SpanHandler()
_event_handler = _EventHandler()


def _attach() -> None:
    """Add the handlers, unless they are there. The lists are replaced, not changed: another thread may be walking them."""
    root = get_dispatcher()
    if all(handler is not _span_handler for handler in root.span_handlers):
        root.span_handlers = [*root.span_handlers, _span_handler]
        root.event_handlers = [*root.event_handlers, _event_handler]


def _detach() -> None:
    root = get_dispatcher()
    root.span_handlers = [handler for handler in root.span_handlers if handler is not _span_handler]
    root.event_handlers = [handler for handler in root.event_handlers if handler is not _event_handler]
    _spans.forget()


in_force: InForce[Origin] = InForce(_attach, _detach)
_spans = Spans(in_force.latest)
