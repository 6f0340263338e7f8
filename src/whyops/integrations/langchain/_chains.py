"""Chains, graphs and their nodes: what begins and ends with the run of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._recording import context
from ..._recording.place import Place
from ..._runtime.safely import safely_or
from ..._wire.exceptions import is_error
from .._shared import spoken
from .._shared.tool_run import ToolRun
from . import _spoken
from ._exchange import Exchange
from ._runs import Node, Run

_NOT_THE_APPS = frozenset({"parser", "prompt"})
"""Types of runs that an application makes on the way to one of its own: a prompt is filled in, an answer is read."""


def begin(run: Run, inputs: object, metadata: Mapping[str, Any], told: Mapping[str, Any], *, records_steps: bool) -> None:
    """Take note of what the application's own run is asked, and of a node that begins; `told` is what LangChain says besides."""
    name = told.get("name")
    if run.parent is None and run.exchange is None and told.get("run_type") not in _NOT_THE_APPS and _is_outermost(run):
        run.exchange, run.begins_exchange = Exchange(run.place, name if isinstance(name, str) and name else "run", inputs), True
    if name is None or name != metadata.get("langgraph_node"):
        return
    node = Node(name, metadata.get("langgraph_checkpoint_ns"), inputs)
    if run.parent is not None and run.parent.node is not None and run.parent.node[:2] == node[:2]:
        return  # a chain in a node, of the same name
    run.node = node
    if run.exchange is not None:
        run.exchange.begin_node(name, inputs)
    if records_steps:
        if run.exchange is not None and run.parent is not None and run.parent.begins_exchange:
            run.place = run.exchange.within_run(run.place)
        run.step = ToolRun(run.place.labelled(spoken.STEP), name, safely_or(_spoken.arguments_in, inputs, {}))


def end(run: Run, outputs: object) -> None:
    """Record what came out of a node, or of the run, as far as no model said it and no tool gave it."""
    if run.step is not None:
        run.step.succeed(safely_or(_spoken.shown, outputs, outputs))
    if run.exchange is not None:
        if run.node is not None:
            run.exchange.end_node(_inside(run), run.node.name, run.node.inputs, outputs)
        if run.begins_exchange:
            run.exchange.end(outputs)


def fail(run: Run, error: BaseException) -> None:
    """Record the error, unless it was recorded further in, and what an interrupt asks of a human."""
    record_questions(run, error)
    if run.step is not None:
        run.step.fail(error)
    elif run.begins_exchange and run.exchange is not None:
        run.exchange.fail(error)
    elif run.exchange is not None and run.node is not None and is_error(error):
        run.exchange.within(run.place).record_exception(error)
    run.place.record_exception(error)


def begin_tool(run: Run) -> None:
    """Take note that a tool or a retriever is part of the run."""
    if run.exchange is not None:
        run.exchange.has_tool = True


def end_tool(run: Run, output: object) -> None:
    """Take note of what a tool gave, which may be the answer."""
    if run.exchange is not None:
        run.exchange.hear(output)


def record_questions(run: Run, error: BaseException) -> None:
    """Record what an interrupt asks a human, once: the exception passes through all that is around it."""
    for id_, question in _spoken.questions_in(error):
        if run.exchange is not None:
            run.exchange.halted_by = type(error).__name__
        if id_ not in run.root.put:
            run.root.put.add(id_)
            place = _inside(run)
            spoken.asks_human(place if run.exchange is None else run.exchange.within(place), "interrupt", question)


def _is_outermost(run: Run) -> bool:
    """Tell whether nothing is around a run but a trace's block."""
    top = context.top()
    return top is None or (top.is_trace and run.place.parent_id is None)


def _inside(run: Run) -> Place:
    """Return where what is said in a run is recorded: in its span, if it has one."""
    inner_id, place = run.inner_id, run.place
    return place if inner_id == place.parent_id else Place(place.trace, inner_id, place.labels)
