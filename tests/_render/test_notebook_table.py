"""Several traces in a notebook."""

from __future__ import annotations

from datetime import timezone

from tests._render.recordings import Run, conversation
from tests._render.test_notebook import Checked
from whyops import RecordedTrace, TraceList
from whyops._render.notebook_table import render_table


def test_a_line_for_each_trace() -> None:
    """With its id, time, agent, user, question and numbers."""
    traces = [RecordedTrace.from_events(conversation()), RecordedTrace.from_events([], "empty")]
    page = Checked(render_table(traces, timezone.utc))
    assert page.tags == {"style", "div", "table", "thead", "tbody", "tr", "th", "td"}
    cells = page.texts[1 + page.texts.index("Took") :]
    assert cells[:4] == ["session-123", "Mon 23 Nov 2026 18:14:38 UTC", "support", "user_12345"]
    assert cells[4].startswith("Where is order 123?")
    assert cells[5:10] == ["18", "5", "1", "1,323", "33.0 s"]
    assert cells[10:] == ["empty", "0", "0", "2 traces"]


def test_hostile_values_are_text() -> None:
    """Nothing in a trace becomes markup."""
    run = Run("</table><script>alert(1)</script>")
    run.user("<img src=x onerror=alert(1)>\x00\u202e\ud800")
    html = TraceList([RecordedTrace.from_events(run.events)])._repr_html_()
    assert Checked(html).tags == {"style", "div", "table", "thead", "tbody", "tr", "th", "td"}


def test_no_traces() -> None:
    """None at all is said."""
    assert TraceList()._repr_html_() == "<div>No traces.</div>"
