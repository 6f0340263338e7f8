"""`instrument()`: LangChain asks our variable for a handler wherever something starts, and gets one while a trace of ours is current."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from langchain_core.tracers.context import register_configure_hook

from ..._capture import context
from ._handler import WhyOpsCallbackHandler

if TYPE_CHECKING:
    from typing_extensions import Self


class _HandlerWhileInTrace:
    """Stands where LangChain expects a context variable. `handler` is None while nothing is instrumented."""

    def __init__(self) -> None:
        self.handler: WhyOpsCallbackHandler | None = None
        self.is_registered = False

    def get(self, _default: Any = None) -> WhyOpsCallbackHandler | None:
        """Return the handler if a trace is current here."""
        return self.handler if self.handler is not None and context.top() is not None else None


_variable = _HandlerWhileInTrace()


class Instrumentation:
    """What `instrument` switched on; `uninstrument`, or the end of a `with` block, switches it off again."""

    def uninstrument(self) -> None:
        """Record nothing more by itself. Runs that have started go on being recorded."""
        _variable.handler = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.uninstrument()


def instrument(*, llm_events: bool = True) -> Instrumentation:
    """Record whatever LangChain and LangGraph run inside `with whyops.trace(…)`, without a handler being passed.

    It works through LangChain's public configure hook: nothing is patched, and nothing outside a trace's block is touched. Where a
    handler is passed as well, that one records, and nothing is recorded twice. `llm_events=False` leaves model calls out. Calling it
    again changes only that.
    """
    if not _variable.is_registered:
        _variable.is_registered = True
        variable = cast("ContextVar[Any]", _variable)
        register_configure_hook(variable, inheritable=True, handle_class=WhyOpsCallbackHandler)
    _variable.handler = WhyOpsCallbackHandler(llm_events=llm_events)
    return Instrumentation()
