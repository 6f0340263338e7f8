"""What the page reads at once, and what it reads when it is looked at."""

from __future__ import annotations

import json

from tests._render.recordings import Run, conversation
from whyops._render.page.data import TracePage, report_data
from whyops._render.page.pack import packed
from whyops._trace.recorded import RecordedTrace


def test_nothing_is_lost() -> None:
    """Index and lines together hold all that the page shows of each step, in order, of several traces one after the other."""
    other = Run("other")
    other.user("Hi")
    other.model("Hello", langgraph_node="greeter", lc_agent_name="clerk")
    traces = [RecordedTrace.from_events(run) for run in (conversation(), other.events)]
    data = report_data(traces, None)
    index, told_lines = packed([TracePage(trace, None) for trace in traces])
    lines = list(map(json.loads, told_lines))
    at = 0
    for told, trace in zip(index["traces"], data["traces"], strict=True):  # type: ignore[call-overload]
        columns, counts = told["columns"], told["counts"]
        for place, step in enumerate(trace["steps"]):
            own = {name: columns[name][place] for name in ("parent", "depth", "at", "to", "ms", "tokens", "users")}
            own |= {name: columns[f"{name}s"][columns[name][place]] for name in ("kind", "name", "who")}
            own |= {"failed": True} if place in columns["failed"] else {}
            assert {name: value for name, value in (own | lines[at + place]).items() if value is not None} == step
            assert (place in columns["open"]) == ("open" in step)
        at += counts["steps"]
        assert lines[at : at + counts["events"]] == trace["events"]
        at += counts["events"]
        assert lines[at : at + counts["messages"]] == trace["messages"]
        at += counts["messages"]
    assert at == len(lines)
    assert index["traces"][1]["columns"]["whos"] == [None, "clerk / greeter"]
    assert index["traces"][0]["users"] == ["user_12345"]
