"""Put a run's tables and its picture into the documents: between the markers that name them, and nowhere else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import goals
import plot
import tables
from results import Results

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Write the page and its picture from the results named on the command line, or the last run's."""
    results = Results.load(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "performance" / "peers.json")
    page = DOCS / "performance.md"
    text = page.read_text("utf-8")
    blocks = {"run": run_of(results), "goals": goals.table(results), "figures": tables.figures(results), "spreads": tables.spreads(results)}
    for name, block in blocks.items():
        text = put(text, name, block)
    page.write_text(text, "utf-8")
    (DOCS / "performance" / "peers.svg").write_text(plot.svg(results), "utf-8")


def put(text: str, name: str, block: str) -> str:
    """Replace what stands between the markers of a block."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no block {name!r}")
    return pattern.sub(lambda found: f"{found[1]}{block}{found[2]}", text)


def run_of(results: Results) -> str:
    """Say where and with what it was measured."""
    machine = results.machine
    versions = []
    for name, environment in results.environments.items():
        what = tables.TITLES[name].strip("*") if name != "published" else "whyops"
        versions.append(f"{what} {environment['problem'] or environment['version']}")
    return (
        f"Measured {machine['measured']}: Python {machine['python']}, {machine['system']}, {machine['cores']} cores. "
        + ", ".join(versions)
        + ".\n"
    )


if __name__ == "__main__":
    main()
