"""What is asked of a query engine or a workflow, and what comes out of it without a model or a tool having said it.

Each function is told of the beginning or the end of something, and records through the place in which it stands.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.workflow import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

from ..._encoding.class_fields import instance_dict
from ..._encoding.readers import read
from ..._recording.place import Place
from ..._wire import write as contents
from .._shared import spoken
from .._shared.tool_run import ToolRun
from . import _translate, _workflows

_POSTPROCESSES = frozenset({"_apostprocess_nodes", "_postprocess_nodes"})
_MOST_FIELDS = 1_000
_QUERIES = frozenset({"aquery", "query"})


@dataclass(slots=True)
class Query:
    """A query engine's call: by whom it is answered, and what models have said on the way to the answer."""

    engine: str
    said: list[object] = field(default_factory=list)

    def answered(self, place: Place, response: object) -> None:
        """Record an answer that none of the models gave: that nothing was found, say. One that streams is theirs."""
        shown = _translate.result_of(response)
        text = shown.get("response") if isinstance(shown, dict) else None
        if isinstance(text, str) and not any(_holds(said, text) for said in self.said):
            spoken.answered(place, self.engine, text)


def query_of(instance: object, method: str) -> Query | None:
    """Return a query that begins with a method of an engine; None if none does."""
    is_engine = method in _QUERIES and hasattr(type(instance), "_query")
    return Query(type(instance).__name__) if is_engine else None


def asked(place: Place, bound: inspect.BoundArguments) -> None:
    """Record the question of an engine's caller, in the caller's own words."""
    question = _translate.query_of(bound.arguments.get("str_or_query_bundle"))
    if isinstance(question, str):
        spoken.asked(place, question)


def _holds(said: object, text: str) -> bool:
    return isinstance(said, str) and said.strip() == text.strip()


# Workflows


def started(place: Place, workflow: object, bound: inspect.BoundArguments) -> ToolRun:
    """Record what a workflow is started with."""
    event = next((value for value in bound.arguments.values() if isinstance(value, StartEvent)), None)
    return ToolRun(place.labelled(spoken.RUN), type(workflow).__name__, fields_of(event))


def step_begun(place: Place, name: str, event: Event | None) -> ToolRun:
    """Record a step with the event that it was given."""
    return ToolRun(place.labelled(spoken.STEP), name, _event(event))


def outcome_of_step(result: object) -> object:
    """Return the event that a step gives, by the name of its class, with its fields; what is no event as it is."""
    return _event(result) if isinstance(result, Event) else result


def _event(event: object) -> dict[str, object]:
    return {} if event is None else {"event": type(event).__name__, **fields_of(event)}


def result_of(stop: object) -> object:
    """Return what a workflow's last event says: its result, or the fields of an event of the application's own."""
    return stop.result if type(stop) is StopEvent else fields_of(stop) or stop


def fields_of(event: object) -> dict[str, object]:
    """Return the fields of a workflow's event, those that it was given without declaring them included."""
    shown = read(event, _MOST_FIELDS) if isinstance(event, Event) else None
    return shown if isinstance(shown, dict) else {}


# Humans


def record_question(place: Place, event: object) -> None:
    """Record what a human is asked, by a step's result or by a tool that waits."""
    if isinstance(event, InputRequiredEvent):
        spoken.asks_human(place, type(event).__name__, fields_of(event))


def waited_for(error: BaseException) -> object:
    """Return the event with which a tool or step that waits for an answer asks for it."""
    return getattr((instance_dict(error) or {}).get("add"), "waiter_event", None)


def record_reply(place: Place, event: object) -> None:
    """Record what a human said, where a step is given it."""
    held = fields_of(event)
    name = type(event).__name__
    if isinstance(held.get("response"), str):
        spoken.human_said(place, held.pop("response"), name, held)
    else:
        spoken.human_said(place, held, name)


def record_reply_once(place: Place, reply: _workflows.Reply, recorded: list[object]) -> None:
    """Record what a human said, where a step is run again because of it; what the run has `recorded` is not again."""
    if isinstance(reply.event, HumanResponseEvent) and reply not in recorded:
        recorded.append(reply)
        record_reply(place, reply.event)


# Postprocessors


def is_postprocessing(instance: object, method: str) -> bool:
    """Tell whether a method of a postprocessor is one that takes retrieved nodes and gives those that are to stay."""
    return method in _POSTPROCESSES and isinstance(instance, BaseNodePostprocessor)


def record_postprocessing(place: Place, instance: object, bound: inspect.BoundArguments, kept: object) -> None:
    """Record what a postprocessor did that tells nothing itself, if that was anything: which nodes went in, and which came out."""
    given = _translate.ranked(bound.arguments.get("nodes"))
    if _translate.ranked(kept) == given:
        return
    arguments = {"query": _translate.query_of(bound.arguments.get("query_bundle")), "nodes": given}
    ToolRun(place, type(instance).__name__, contents.known(arguments)).succeed({"nodes": _translate.nodes_of(kept)})
