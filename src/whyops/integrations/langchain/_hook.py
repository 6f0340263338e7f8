"""`instrument()`: LangChain asks our variable for a handler wherever something starts, and gets one while a trace of ours is current."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from langchain_core.tracers.context import register_configure_hook

from ..._recording import context
from ._handler import WhyOpsCallbackHandler

if TYPE_CHECKING:
    from typing_extensions import Self


class _LatestWhileInTrace:
    """Stands where LangChain expects a context variable."""

    def get(self, _default: Any = None) -> WhyOpsCallbackHandler | None:
        """Return the handler of the latest `instrument()` that is in force, if a trace is current here."""
        latest = _active[-1:]
        return latest[0].handler if latest and context.top() is not None else None


_variable = _LatestWhileInTrace()
_active: list[Instrumentation] = []
_is_registered = False


class Instrumentation:
    """What `instrument` switched on; `uninstrument`, or the end of a `with` block, switches it off again."""

    def __init__(self, handler: WhyOpsCallbackHandler) -> None:
        self.handler = handler

    def uninstrument(self) -> None:
        """Take back this one call of `instrument`; others stay in force. Runs that have started go on being recorded.

        A second call does nothing.
        """
        with contextlib.suppress(ValueError):
            _active.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.uninstrument()


def instrument(*, llm_events: bool = True) -> Instrumentation:
    """Record whatever LangChain and LangGraph run inside `with whyops.trace(…)`, without a handler being passed.

    It works through LangChain's public configure hook: nothing is patched, and nothing outside a trace's block is touched. Where a
    handler is passed as well, that one records, and nothing is recorded twice. `llm_events=False` leaves model calls out. Called again,
    the latest call's arguments hold until its `uninstrument()`; then those of the call before it do.
    """
    global _is_registered  # noqa: PLW0603  (a hook can't be taken back)
    if not _is_registered:
        variable = cast("ContextVar[Any]", _variable)
        register_configure_hook(variable, inheritable=True, handle_class=WhyOpsCallbackHandler)
        _is_registered = True  # only now: two threads at once register it twice, and LangChain takes a handler once
    instrumentation = Instrumentation(WhyOpsCallbackHandler(llm_events=llm_events))
    _active.append(instrumentation)
    return instrumentation
