"""Who acts is said where it changes, and only where there are several."""

from __future__ import annotations

from typing import Any

from tests._render.real_runs import recorded
from tests._trace.chosen import Event, answers, asks, runs, trace_of
from whyops._render.actors import actor_labels
from whyops._render.json import trace_data
from whyops._trace.recorded import RecordedTrace


def by(agent: str | None = None, node: str | None = None, *events: Event) -> list[Event]:
    """Say of events who acts in them."""
    told = {name: value for name, value in (("agent", agent), ("langgraph_node", node)) if value is not None}
    return [{**event, "metadata": {**event["metadata"], **told}} for event in events]


def said(trace: RecordedTrace) -> list[tuple[str, str]]:
    labels = actor_labels(trace)
    return [(labels[id(step)], step.kind) for step in trace.walk() if id(step) in labels]


def answer(text: str = "!", **more: Any) -> Event:
    return answers(text, **more)


def test_one_actor_is_not_named() -> None:
    """Not an agent, whose model and tools are nodes of their own, nor a run that tells of nobody."""
    one = trace_of(
        *by("desk", "model", asks("a?"), answers(chosen=[("c1", "f", {})])),
        *by("desk", "tools", *runs("f", {}, 1)),
        *by("desk", "model", answer()),
    )
    assert said(one) == []
    assert said(trace_of(asks("a?"), answer(), *runs("f", {}, 1, None))) == []
    assert said(RecordedTrace.from_events(recorded("tries"))) == []


def test_each_change_is_named_once() -> None:
    """A hand-over, also after the user has spoken again; a tool that no model chose may be a node's own."""
    trace = trace_of(
        *by(None, "search", *runs("retriever", {}, [], None)),
        *by(None, "write", asks("a?"), answer(), answer()),
        *by(None, "write", asks("b?"), answer()),
        *by("desk", "model", answer()),
    )
    assert said(trace) == [("search", "tool"), ("write", "model"), ("desk", "model")]


def test_inside_a_call_another_agent_may_act() -> None:
    """After it, the one around it goes on, and is not named again."""
    inside = by("expert", "model", asks("b?"), answer())
    for event in inside:
        event["metadata"]["parentSpanId"] = "s"
    request, response = by("clerk", "tools", *runs("ask", {}, "x"))
    events = [
        *by("clerk", "model", asks("a?"), answers(chosen=[("c1", "ask", {})])),
        {**request, "spanId": "s"},
        *inside,
        {**response, "spanId": "s"},
        *by("clerk", "model", answer()),
    ]
    assert said(trace_of(*events)) == [("clerk", "model"), ("expert", "model")]


def test_parts_of_a_query_engine_are_named() -> None:
    """A model that a postprocessor asks is named after it, and the engine before and after; a postprocessor's own call has its name."""
    engine = {"query_engine": "Engine"}
    ranking = {**engine, "postprocessor": "Rerank"}
    trace = trace_of(
        asks("a?"),
        *runs("Retriever", {}, [], None, **engine),
        *runs("Rerank", {}, [], None, **ranking),
        answer("1", **ranking),
        answer("!", **engine),
    )
    assert said(trace) == []
    before = trace_of(asks("a?"), *runs("Retriever", {}, [], None, **engine), answer("1", **ranking), answer("!", **engine))
    assert said(before) == [("Engine", "tool"), ("Rerank", "model"), ("Engine", "model")]
    assert trace_data(before)["steps"][2]["postprocessor"] == "Rerank"  # type: ignore[index]
