"""Several traces → a table without script, as a notebook shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from .._printable import counted, printable
from .._trace.recorded import RecordedTrace
from .format import content_text, duration_text, time_text
from .notebook import STYLE, color_of
from .step_text import step_text

_MOST_OF_A_TEXT = 100
_COLUMNS = ("Trace", "When", "Agent", "User", "Asked", "Events", "Tools", "Errors", "Tokens", "Took")
_NUMBERS_FROM = 5
_ERRORS = 7
_CELL = "padding:.2em .7em;border-bottom:1px solid #8884;vertical-align:top"


def render_table(traces: Sequence[RecordedTrace], zone: tzinfo | None = None) -> str:
    """Return a piece of HTML with a line for each trace. Times are in `zone`, the machine's own if None."""
    if not traces:
        return "<div>No traces.</div>"
    head = "".join(_cell("th", place, name) for place, name in enumerate(_COLUMNS))
    body = "".join(f"<tr>{_line(trace, zone)}</tr>" for trace in traces)
    table = f'<table style="border-collapse:collapse;font-size:13px"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'{STYLE}<div class="whyops" style="overflow-x:auto">{table}<div style="opacity:.75">{counted(len(traces), "trace")}</div></div>'


def _line(trace: RecordedTrace, zone: tzinfo | None) -> str:
    totals = trace.totals
    asked = next((step for step in trace.walk() if step.kind == "user"), None)
    values = (
        trace.trace_id,
        time_text(trace.ended_at, zone),
        trace.agent_name or "",
        trace.external_user_id or "",
        "" if asked is None else content_text(step_text(asked).text),
        f"{totals.events:,}",
        f"{totals.calls:,}",
        f"{totals.errors:,}" if totals.errors else "",
        f"{totals.usage.total:,}" if totals.usage else "",
        duration_text(trace.duration_ms or None),
    )
    return "".join(_cell("td", place, value) for place, value in enumerate(values))


def _cell(tag: str, place: int, text: str) -> str:
    align = "right" if place >= _NUMBERS_FROM else "left"
    color = f";color:{color_of('error')}" if place == _ERRORS and tag == "td" else ""
    wrap = "" if _COLUMNS[place] == "Asked" else ";white-space:nowrap"
    font = ";font-family:ui-monospace,Menlo,Consolas,monospace" if place == 0 and tag == "td" else ""
    cut = " ".join(text[: _MOST_OF_A_TEXT * 2].split())
    shown = cut if len(cut) <= _MOST_OF_A_TEXT else f"{cut[:_MOST_OF_A_TEXT]}…"
    return f'<{tag} style="{_CELL};text-align:{align}{color}{font}{wrap}">{escape(printable(shown))}</{tag}>'
