"""Two traces as one text: it looks as somebody saw it, fits, and does nothing to a terminal."""

from __future__ import annotations

import pytest

from tests._render.diff_snapshots import FOLDER, NAMES, made
from tests._render.recordings import Run
from tests._render.terminal.test_tree import HOSTILE
from whyops._render.terminal.diff import render_diff
from whyops._render.terminal.width import width_of
from whyops._trace.recorded import RecordedTrace


@pytest.mark.parametrize("name", NAMES)
def test_snapshots(name: str) -> None:
    """The text looks as it did when somebody read it. `python -m tests._render.diff_snapshots` writes them again."""
    assert made(name) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def of(text: str) -> RecordedTrace:
    run = Run(text)
    run.user(text)
    run.tool(text, {text: text}, text, "s1")
    run.tool("same", {}, {"error": text}, "s2")
    run.tool("other", {"a": text}, text, "s3")
    run.model(text, [(text, {text: text})])
    return RecordedTrace.from_events(run.events)


@pytest.mark.parametrize("width", [1, 24, 40, 80, 250])
@pytest.mark.parametrize("full", [False, True])
def test_hostile_text_stays_text(width: int, *, full: bool) -> None:
    """No control character reaches the terminal, and no line is wider than asked, but for a width under 24."""
    text = render_diff(of("東京" * 20), of(HOSTILE * 3), width=width, color=False, full=full)
    assert text.isprintable() or set(text) - {"\n"} == {char for char in text if char.isprintable()}
    assert full or all(width_of(line) <= max(width, 24) for line in text.splitlines())


def test_nothing_beside_nothing() -> None:
    """Two runs without a step are no error."""
    assert "Neither run has a step." in render_diff(RecordedTrace("a"), RecordedTrace("b"), width=80, color=False)
