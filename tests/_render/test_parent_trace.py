"""A trace that another agent's work was sent to says which one that was, wherever it is shown."""

from __future__ import annotations

import pytest

from tests._render.recordings import Run
from whyops._render.json import trace_data
from whyops._render.markdown import render_brief
from whyops._render.page.data import report_data
from whyops._render.terminal.tree import render_tree
from whyops._trace.recorded import RecordedTrace


@pytest.mark.parametrize("around", [None, "order-7", "odd\x1b[31m"])
def test_what_it_is_part_of(around: str | None) -> None:
    """The tree, the text for models, JSON and the page name it; of a whole trace they say nothing."""
    run = Run()
    run.tool("f", {}, 1, "s1", **({} if around is None else {"parent": "elsewhere", "parentTraceId": around}))
    trace = RecordedTrace.from_events(run.events)
    assert trace.parent_trace_id == around
    texts = [render_tree(trace, width=80, color=False), render_brief(trace).lower()]
    assert [f"part of trace {(around or '')[:3]}" in text for text in texts] == [around is not None] * 2
    assert all("\x1b" not in text for text in texts)
    assert trace_data(trace).get("parentTraceId") == around
    (data,) = report_data([trace], None)["traces"]  # type: ignore[misc, attr-defined]
    assert data["around"] == around
