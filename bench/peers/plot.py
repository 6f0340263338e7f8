"""Two figures of a run as bars, in an SVG that needs nothing to be drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from results import Results

NAMES = {
    "floor": "floor (serialise, append)",
    "ours": "whyops",
    "otel": "OpenTelemetry",
    "logfire": "Logfire",
    "langfuse": "Langfuse",
    "langsmith": "LangSmith",
}
"""Who is drawn. The published 0.1.1 is not: its bar would be some thousand times as long."""

WIDTH, BAR, GAP, LEFT, RIGHT = 720, 22, 8, 190, 70


@dataclass(frozen=True)
class Panel:
    """One figure, from nothing to the largest."""

    title: str
    scenario: str
    figure: str


PANELS = (
    Panel("What a tool call costs its caller: 500 calls a second, median, µs", "paced", "p50_us"),
    Panel("CPU of all threads until the call is delivered, µs", "paced", "cpu_us"),
)

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.bar { fill: #8c959f }
.ours { fill: #1f6feb }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #58a6ff } }
"""


def svg(results: Results) -> str:
    """Return the picture."""
    parts: list[str] = []
    y = 8
    for panel in PANELS:
        drawn = [(name, results.median(name, panel.scenario, panel.figure)) for name in NAMES]
        bars = [(name, value) for name, value in drawn if value is not None]
        largest = max(value for _, value in bars)
        parts.append(f'<text class="title" x="0" y="{y + 14}">{escape(panel.title)}</text>')
        y += 28
        for name, value in bars:
            length = max(1.0, value / largest * (WIDTH - LEFT - RIGHT))
            kind = "bar ours" if name == "ours" else "bar"
            parts.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(NAMES[name])}</text>')
            parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3"/>')
            parts.append(f'<text x="{LEFT + length + 8:.1f}" y="{y + 16}">{value:.0f}</text>')
            y += BAR + GAP
        y += 14
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"
