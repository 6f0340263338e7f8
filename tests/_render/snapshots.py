"""The trees that are kept as text, to be looked at. `python -m tests._render.snapshots` writes them again."""

from __future__ import annotations

from pathlib import Path

from tests._render.recordings import ALIVE, conversation
from whyops._render.terminal.tree import render_tree
from whyops._trace.recorded import RecordedTrace

FOLDER = Path(__file__).with_name("snapshots")
NAMES = ("tree-120", "tree-80", "tree-40", "tree-80-full", "tree-80-ascii", "tree-80-color")


def made(name: str) -> str:
    """Render the tree that a snapshot's name describes."""
    _, width, *options = name.split("-")
    return render_tree(
        RecordedTrace.from_events(conversation()),
        width=int(width),
        color="color" in options,
        full="full" in options,
        encoding="ascii" if "ascii" in options else "utf-8",
        is_alive=lambda process: process == ALIVE,
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.txt").write_text(made(name), encoding="utf-8")
