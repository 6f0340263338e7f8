"""`instrument()`: LangChain asks our variable for a handler wherever something starts, and gets one while a trace of ours is current."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any, cast

from langchain_core.tracers.context import register_configure_hook

from ..._client import WhyOps
from ..._recording import context
from .._shared.instrumentation import InForce, Instrumentation
from ._handler import WhyOpsCallbackHandler


class _LatestWhileInTrace:
    """Stands where LangChain expects a context variable."""

    def get(self, _default: Any = None) -> WhyOpsCallbackHandler | None:
        """Return the handler of the latest `instrument()` that is in force, if a trace is current here or was asked for."""
        handler = in_force.latest()
        is_wanted = handler is not None and (handler.trace_id is not None or context.top() is not None)
        return handler if is_wanted else None


@functools.cache  # a hook can't be taken back
def _register() -> None:
    register_configure_hook(cast("ContextVar[Any]", _LatestWhileInTrace()), inheritable=True, handle_class=WhyOpsCallbackHandler)


in_force: InForce[WhyOpsCallbackHandler] = InForce(_register)


def instrument(
    client: WhyOps | None = None,
    *,
    trace_id: object = None,
    external_user_id: object = None,
    llm_events: bool = True,
    capture_prompts: bool | None = None,
    record_steps: bool | None = None,
) -> Instrumentation:
    """Record whatever LangChain and LangGraph run inside `with whyops.trace(…)`, without a handler being passed.

    It works through LangChain's public configure hook: nothing is patched, and nothing outside a trace's block is touched. Where a
    handler is passed as well, that one records, and nothing is recorded twice. Called again, the latest call's arguments hold until its
    `uninstrument()`; then those of the call before it do. Runs that have started continue to be recorded.

    Args:
        client: Whose events they are; by default those of the trace that is current.
        trace_id: The trace of everything, also of what runs outside a block. Left out: the current trace.
        external_user_id: The user. By default the current trace's.
        llm_events: False leaves model calls out. Those that go through the WhyOps proxy are left out anyway: it records them.
        capture_prompts: False records a prompt only where a user speaks last in it, and then whole. By default as the client says.
        record_steps: True records each node of a graph, and each task, as a span of its own: input, output, time, error. The service
            counts each span against the 1,000 that it keeps of an agent. By default as the client says, which is False.
    """
    return in_force.add(
        WhyOpsCallbackHandler(
            client,
            trace_id=trace_id,
            external_user_id=external_user_id,
            llm_events=llm_events,
            capture_prompts=capture_prompts,
            record_steps=record_steps,
        )
    )
