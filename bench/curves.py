"""How a cost grows with a size: the power of its growth, and a picture of several such curves."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from html import escape
from typing import Protocol

TOLERANCE = 0.15
"""How far beyond 1 the measured power may lie."""

Points = list[tuple[float, float]]
"""Sizes, each with its cost."""


class Named(Protocol):
    """What a curve is of, and the units of its axes."""

    @property
    def title(self) -> str:
        """What costs something."""
        ...

    @property
    def axis(self) -> str:
        """What there is more and more of."""
        ...

    @property
    def unit(self) -> str:
        """The cost's unit."""
        ...


def exponent(points: Points) -> float:
    """Return the power of the size that the cost grows with, once it has left the fixed cost behind; 0 if it never does."""
    least = min(cost for _, cost in points)
    rising = [(math.log(size), math.log(cost)) for size, cost in points if cost >= 2 * least]
    if len(rising) < 2:
        return 0.0
    x, y = statistics.fmean(x for x, _ in rising), statistics.fmean(y for _, y in rising)
    return sum((a - x) * (b - y) for a, b in rising) / sum((a - x) ** 2 for a, _ in rising)


WIDTH, HEIGHT, ROOM = 340, 170, 44
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.cost { fill: none; stroke: #1f6feb; stroke-width: 2 }
.dot { fill: #1f6feb }
.axis { stroke: #8c959f }
.linear { stroke: #8c959f; stroke-dasharray: 3 4 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .cost { stroke: #58a6ff } .dot { fill: #58a6ff } }
"""


def svg(panels: Sequence[tuple[Named, Points]]) -> str:
    """Draw all curves, both axes logarithmic and of the same scale within a panel; the dashed line is linear growth."""
    rows = math.ceil(len(panels) / 2)
    width, height = 2 * (WIDTH + ROOM), rows * (HEIGHT + 2 * ROOM)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">']
    parts.append(f"<style>{STYLE}</style>")
    for number, (curve, points) in enumerate(panels):
        parts.append(f'<g transform="translate({number % 2 * (WIDTH + ROOM) + ROOM} {number // 2 * (HEIGHT + 2 * ROOM) + 24})">')
        parts += panel(curve, points)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def panel(curve: Named, points: Points) -> Iterator[str]:
    """Draw one curve."""
    sizes, costs = [size for size, _ in points], [cost for _, cost in points]
    left, right = math.log10(min(sizes)), math.log10(max(sizes))
    bottom = math.floor(math.log10(min(costs)))
    top = max(math.ceil(math.log10(max(costs))), bottom + 2)

    def place(size: float, cost: float) -> tuple[float, float]:
        return (math.log10(size) - left) / (right - left) * WIDTH, HEIGHT - (math.log10(cost) - bottom) / (top - bottom) * HEIGHT

    yield f'<text class="title" x="0" y="-10">{escape(curve.title)}</text>'
    yield f'<path class="axis" fill="none" d="M0 0V{HEIGHT}H{WIDTH}"/>'
    for power in range(bottom, top + 1):
        yield f'<text x="-6" y="{HEIGHT - (power - bottom) / (top - bottom) * HEIGHT + 4:.0f}" text-anchor="end">{10.0**power:g}</text>'
    for size, anchor in ((min(sizes), "start"), (max(sizes), "end")):
        yield f'<text x="{place(size, 10.0**bottom)[0]:.0f}" y="{HEIGHT + 16}" text-anchor="{anchor}">{size:,.0f}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT + 16}" text-anchor="middle">{escape(curve.axis)}; {curve.unit}</text>'
    reach = min(max(sizes), max(sizes) * 10.0**top / costs[-1])
    start = max(min(sizes), max(sizes) * 10.0**bottom / costs[-1])
    (x1, y1), (x2, y2) = place(start, costs[-1] * start / max(sizes)), place(reach, costs[-1] * reach / max(sizes))
    yield f'<line class="linear" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    placed = [place(size, cost) for size, cost in points]
    yield f'<polyline class="cost" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>'
    for x, y in placed:
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'
