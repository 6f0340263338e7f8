"""Handlers of LlamaIndex's that do nothing: what being told costs."""

from __future__ import annotations

from typing import Any

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.span import BaseSpan
from llama_index_instrumentation.span_handlers import BaseSpanHandler


class _Spans(BaseSpanHandler[BaseSpan]):
    def span_enter(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def span_exit(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def span_drop(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def new_span(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def prepare_to_drop_span(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class _Events(BaseEventHandler):
    def handle(self, event: BaseEvent, **_: Any) -> None:
        """Do nothing."""


def attach() -> None:
    """Let the dispatcher tell them all."""
    get_dispatcher().add_span_handler(_Spans())
    get_dispatcher().add_event_handler(_Events())
