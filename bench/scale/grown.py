"""How the cost of each line of `at_scale.py` grows over three decades: judged, drawn, and put into the documents with the table."""

from __future__ import annotations

import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import at_scale

sys.path.append(str(Path(__file__).parents[1]))
from curves import TOLERANCE, Points, exponent, svg

DOCS = at_scale.HERE / "docs"
SHARES = (0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316)
"""Of the table's sizes."""


class Curve(NamedTuple):
    """What is drawn of a line."""

    title: str
    axis: str
    unit: str


def write(lines: Sequence[str], largest: at_scale.Found, scale: float) -> int:
    """Write table and picture, and return how many curves are worse than linear. The table's own sizes are measured already."""
    found = curves([*measured(scale), *largest])
    worse = 0
    for curve, points in found:
        power = exponent(points)
        worse += power > 1 + TOLERANCE
        print(f"{curve.title}: grows with power {power:.2f}: {'WORSE THAN LINEAR' if power > 1 + TOLERANCE else 'fine'}", flush=True)
    machine = f"Measured {time.strftime('%Y-%m-%d')}: Python {platform.python_version()}, {platform.system()} {platform.machine()}."
    page = DOCS / "performance.md"
    block = "\n".join([machine, "", *lines, ""])
    pattern = re.compile(r"(<!-- scale -->\n).*?(<!-- /scale -->)", re.DOTALL)
    page.write_text(pattern.sub(lambda around: f"{around[1]}{block}{around[2]}", page.read_text("utf-8")), "utf-8")
    (DOCS / "performance" / "scale.svg").write_text(svg(found), "utf-8")
    return worse


def measured(scale: float) -> at_scale.Found:
    """Measure each line at each of the smaller sizes."""
    found: at_scale.Found = []
    for share in SHARES:
        for line in at_scale.LINES:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                works = () if line is at_scale.starts else line(Path(folder), scale * share)
                found += [(name, work, at_scale.costs_of(work, [at_scale.HERE / "src"], 1)) for name, work in works]
    return found


def curves(found: at_scale.Found) -> list[tuple[Curve, Points]]:
    """Return a curve of each line's CPU, and of the memory of those that have a goal for it.

    Its points lie minutes apart, in which a machine may come to run at half of its pace: so each is brought to the same one.
    """
    drawn: dict[Curve, Points] = {}
    usual = statistics.median(costs[1].pace for _, _, costs in found)
    for name, work, costs in found:
        if name.startswith("start: "):
            continue
        title, size, axis = parts_of(name)
        drawn.setdefault(Curve(title, axis, "s"), []).append((size, costs[1].cpu * usual / costs[1].pace))
        if work.most_memory is not None:
            drawn.setdefault(Curve(f"{title}: memory", axis, "MB"), []).append((size, costs[1].memory))
    return list(drawn.items())


def parts_of(name: str) -> tuple[str, int, str]:
    """Return what is done, with how many, and of what, from a line's name."""
    around = re.fullmatch(r"(.*?),? ?([\d,]*\d) (\w[\w ]*)", name)
    assert around is not None, name
    title, size, axis = around.groups()
    return title or axis, int(size.replace(",", "")), axis
