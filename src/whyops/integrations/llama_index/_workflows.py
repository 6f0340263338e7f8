"""Agents and workflows: which agent and step a span belongs to, what a step says of a tool call, and what is no error."""

from __future__ import annotations

import inspect
import sys
from contextvars import ContextVar
from typing import Any, NamedTuple

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.agent.workflow.workflow_events import ToolCall, ToolCallResult
from llama_index.core.workflow import Event, HumanResponseEvent, Workflow
from llama_index_instrumentation.dispatcher import active_instrument_tags

from ..._encoding.class_fields import PerType, package_of
from ..._wire import exceptions

exceptions.control_flow.extend(  # how a workflow waits for an event or a human, or stops, in the versions that have it
    (
        ("workflows.runtime.types.results", "WaitingForEvent"),
        ("workflows.errors", "WorkflowCancelledByUser"),
        ("workflows.errors", "WorkflowDone"),
    )
)


RUN = "run"
_AGENT = "current_agent_name"
_MOST_TAGS = 20


def is_run(instance: object) -> bool:
    """Tell whether a span of the method `RUN` is a whole run of a workflow or an agent.

    It may be entered in the caller's own context and left in another, so nothing is made current for it: its steps find it as their parent.
    """
    return isinstance(instance, Workflow)


def is_agents(instance: object) -> bool:
    """Tell whether a workflow is LlamaIndex's own around agents: what is asked and answered there, the models are told and say."""
    return isinstance(instance, (AgentWorkflow, BaseWorkflowAgent))


def labels_of_run(instance: object) -> dict[str, str]:
    """Return what the events inside a run say of it: the agent's name, or the workflow's class."""
    if isinstance(instance, BaseWorkflowAgent):
        return {"agent": instance.name}
    return {"workflow": type(instance).__name__}


def tags() -> dict[str, object]:
    """Return what the application says of what runs here, by `instrument_tags`: the first few, without LlamaIndex's own."""
    told = active_instrument_tags.get()
    for name in told:
        if not name.startswith("llamaindex."):
            own = [each for each in told if not each.startswith("llamaindex.")]
            return {"tags": {each: told[each] for each in own[:_MOST_TAGS]}}
    return {}


class Reply(NamedTuple):
    """An event that a step has waited for; the step's own event and the waiter's name tell it from others that say the same."""

    event: object
    waiter_id: object
    to: object


def replies() -> list[Reply]:
    """Return what the step which begins here has waited for, and now runs again with."""
    told = getattr(sys.modules.get("workflows.runtime.types.results"), "StepWorkerStateContextVar", None)
    running: Any = told.get(None) if isinstance(told, ContextVar) else None
    waiters = getattr(getattr(running, "state", None), "collected_waiters", None)
    if not waiters:
        return []
    return [Reply(waiter.resolved_event, waiter.waiter_id, waiter.event) for waiter in waiters if waiter.event == running.event]


class EventKind(NamedTuple):
    """What events of a class may tell. LlamaIndex's own have no fields but those that they declare."""

    is_event: bool = False
    may_name_agent: bool = False
    is_call: bool = False
    is_reply: bool = False


def _find_kind(kind: type) -> EventKind:
    if not issubclass(kind, Event):
        return EventKind()
    may_name_agent = package_of(kind) != "llama_index" or _AGENT in kind.model_fields
    return EventKind(
        is_event=True, may_name_agent=may_name_agent, is_call=issubclass(kind, ToolCall), is_reply=issubclass(kind, HumanResponseEvent)
    )


_kind_of = PerType(_find_kind)
_NO_EVENT = EventKind()


def given(bound: inspect.BoundArguments) -> tuple[Any, EventKind]:
    """Return the event that a step was given to run with, if any, and what it may tell."""
    for value in reversed(bound.arguments.values()):  # a context comes first
        kind = _kind_of(type(value))
        if kind.is_event:
            return value, kind
    return None, _NO_EVENT


def agent_of(event: Event) -> str | None:
    """Return the name of the agent that a step was given to run; of several agents in a workflow, the steps alone tell which."""
    name = getattr(event, _AGENT, None)
    return name if isinstance(name, str) else None


def refused_call(result: object) -> ToolCallResult | None:
    """Return the failed result of a tool call, as a step gives it also where there is no such tool."""
    return result if isinstance(result, ToolCallResult) and result.tool_output.is_error else None
