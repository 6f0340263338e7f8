"""`instrument()`: two handlers on LlamaIndex's dispatcher, which tells of queries, models, tools, agents and workflows."""

from __future__ import annotations

import inspect
import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.span import BaseSpan
from llama_index_instrumentation.span_handlers import BaseSpanHandler

from ..._client import WhyOps
from ..._runtime import guard
from ._origin import Origin
from ._spans import Spans

if TYPE_CHECKING:
    from typing_extensions import Self


class Instrumentation:
    """What `instrument` switched on. `uninstrument()` switches it off; so does the end of a `with` block."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def uninstrument(self) -> None:
        """Record no more. The dispatcher is left as it was found once nobody else instruments it. A second call does nothing."""
        with _changing:
            if self in _active:
                _active.remove(self)
                if not _active:
                    _detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.uninstrument()


def instrument(
    client: WhyOps | None = None,
    *,
    trace_id: str | None = None,
    external_user_id: str | None = None,
    llm_events: bool = True,
) -> Instrumentation:
    """Record what LlamaIndex does: queries, chat turns, agents and workflows, each with all below it in one trace.

    Call it once; called again, nothing is recorded twice, and the latest call's arguments hold for what begins from then on, until its
    `uninstrument()`. A classic handler that is there as well stands down.

    Args:
        client: Whose events they are; by default the default client's, as it is when an operation begins.
        trace_id: The trace of everything, also where another is current. Left out: the current trace, or one for each root operation.
        external_user_id: The user, for traces that are made here.
        llm_events: False leaves model calls to the proxy. Calls that are seen to go through it are left to it anyway.
    """
    instrumentation = Instrumentation(Origin(client, trace_id, external_user_id, llm_events=llm_events))
    with _changing:
        _active.append(instrumentation)
        _attach()
    return instrumentation


def is_instrumented() -> bool:
    """Tell whether the dispatcher's handlers record."""
    return bool(_active)


_active: list[Instrumentation] = []
_changing = threading.RLock()


def _origin() -> Origin | None:
    latest = _active[-1:]
    return latest[0]._origin if latest else None  # noqa: SLF001  (the module's own class)


_spans = Spans(_origin)


class _SpanHandler(BaseSpanHandler[BaseSpan]):
    """Hands spans on. What LlamaIndex's base class would keep of them is kept by nobody."""

    @classmethod
    def class_name(cls) -> str:
        return "WhyOpsSpanHandler"

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
        bound_args: inspect.BoundArguments,  # noqa: ARG002
        instance: Any | None = None,  # noqa: ARG002
        result: Any | None = None,
        **_: Any,
    ) -> None:
        _spans.exit(id_, result)

    @guard.recording
    def span_drop(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002
        instance: Any | None = None,  # noqa: ARG002
        err: BaseException | None = None,
        **_: Any,
    ) -> None:
        _spans.drop(id_, err)

    @guard.recording
    def _carried(self) -> dict[str, Any]:
        return _spans.carried()

    def capture_propagation_context(self) -> dict[str, Any]:
        """Tell where a run is started that may go on in another process."""
        return self._carried() or {}

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

    @classmethod
    def class_name(cls) -> str:
        return "WhyOpsEventHandler"

    @guard.recording
    def handle(self, event: BaseEvent, **_: Any) -> None:
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


def _after_fork_in_child() -> None:
    global _changing  # noqa: PLW0603  (no thread of the parent holds the new one)
    _changing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
