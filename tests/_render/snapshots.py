"""The texts that are kept to be looked at: trees, and traces for a model. `python -m tests._render.snapshots` writes them again."""

from __future__ import annotations

from pathlib import Path

from tests._render import real_runs
from tests._render.recordings import ALIVE, conversation
from whyops._render.markdown import render_brief
from whyops._render.terminal.selected import Wanted
from whyops._render.terminal.tree import render_tree
from whyops._trace.recorded import RecordedTrace

FOLDER = Path(__file__).with_name("snapshots")
TREES = ("tree-120", "tree-80", "tree-40", "tree-80-full", "tree-80-ascii", "tree-80-color")
PARTS = ("tree-80-errors", "tree-160-errors", "tree-80-depth", "tree-80-numbers", "tree-160-numbers")
RUNS = ("runs-80", "runs-160", "runs-80-full", "runs-160-full", "runs-brief")
NAMES = (*TREES, *PARTS, *RUNS)
BUDGET = 2000


def made(name: str) -> str:
    """Render what a snapshot's name describes: one conversation, or the real runs one after the other."""
    what, *options = name.split("-")
    if what == "tree":
        return rendered(RecordedTrace.from_events(conversation()), options)
    return "\n".join(rendered(RecordedTrace.from_events(real_runs.recorded(run)), options) for run in real_runs.NAMES)


def rendered(trace: RecordedTrace, options: list[str]) -> str:
    """Render a trace for a model, or as a tree of the width that comes first."""
    if options == ["brief"]:
        return render_brief(trace, budget=BUDGET)
    return render_tree(
        trace,
        width=int(options[0]),
        color="color" in options,
        full="full" in options,
        encoding="ascii" if "ascii" in options else "utf-8",
        is_alive=lambda process: process == ALIVE,
        wanted=Wanted(2 if "depth" in options else None, "errors" in options, "numbers" in options),
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.txt").write_text(made(name), encoding="utf-8")
