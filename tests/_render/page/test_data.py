"""Where the page puts steps in time, and who took them."""

from __future__ import annotations

from typing import Any

from tests._render.recordings import Run
from whyops._render.page.data import report_data
from whyops._trace.recorded import RecordedTrace


def steps_of(run: Run) -> Any:
    (trace,) = report_data([RecordedTrace.from_events(run.events)], None)["traces"]  # type: ignore[misc, attr-defined]
    return trace["steps"]


def test_a_models_call_ends_where_it_was_recorded() -> None:
    """It is as long as it took, also where its prompt, in which no user speaks, is part of it; nothing is before the beginning."""
    run = Run()
    run.user("Hi")
    run.model("Hello", ms=400, callId="1")
    run.add("user_message", [{"role": "tool", "content": "3"}], {"callId": "2", "promptIds": [0]}, ms=100)
    run.model("Three", ms=300, callId="2")
    spans = [(step["kind"], round(step["at"]), round(step["to"])) for step in steps_of(run)]
    assert spans == [("user", 0, 0), ("model", 0, 400), ("model", 500, 800)]


def test_the_block_began_before() -> None:
    """Times count from where the trace's block was opened."""
    run = Run()
    run.tool("f", {}, 1, "s1", ms=10)
    run.events[0]["metadata"] = {"startedAt": "2026-11-23T18:14:05.000000Z"}
    assert [round(step["at"]) for step in steps_of(run)] == [124]


def test_who_took_a_step() -> None:
    """The agent and the node or step that a framework names; a user is neither."""
    run = Run()
    run.user("Hi", agent="clerk")
    run.model("Hello", agent="clerk", step="greet")
    run.tool("f", {}, 1, "s1", langgraph_node="look up")
    run.model("Bye")
    assert [step.get("who") for step in steps_of(run)] == [None, "clerk / greet", "look up", None]
