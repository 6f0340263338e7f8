"""What is shown of a tree: failures with the way to them, steps down to a depth, and their numbers."""

from __future__ import annotations

import re

import pytest

from tests._render.recordings import Run, conversation
from whyops._render.terminal.selected import Wanted
from whyops._render.terminal.tree import render_tree
from whyops._render.terminal.width import width_of
from whyops._trace.recorded import RecordedTrace


def shown(wanted: Wanted, run: Run | None = None, width: int = 80) -> list[str]:
    trace = RecordedTrace.from_events(conversation() if run is None else run.events)
    text = render_tree(trace, width=width, color=False, wanted=wanted)
    assert max(map(width_of, text.splitlines())) <= width
    return text.split("\n\n", 1)[1].splitlines()


def starts(lines: list[str]) -> list[str]:
    """Return the lines that begin a numbered step, without what they measure."""
    numbered = [line for line in lines if line[:2].strip().isdigit()]
    return [line[:2].strip() + " " + re.sub(r"(?<=\S)  .*", "", line[2:]).strip() for line in numbered]


def test_failures_stand_with_the_way_to_them() -> None:
    """What did not fail and is not around what did is left out; the numbers are those of the whole tree."""
    assert starts(shown(Wanted(errors=True))) == [
        "1 user",
        "3 └─ model openai/gpt-4o-mini",
        '7 └─ ✗ refund_order(order_id="119", amount=12.5)',
    ]


def test_a_run_without_failures_says_so() -> None:
    """An empty tree would leave one in doubt."""
    run = Run()
    run.user("Hi")
    assert shown(Wanted(errors=True), run) == ["No step failed."]


def test_what_is_too_deep_is_counted() -> None:
    """Each step that has more inside says how much, and how much of that failed."""
    lines = shown(Wanted(depth=2))
    assert "│     … 4 steps inside, 1 failed" in lines
    assert not any("search_orders" in line for line in lines)
    assert [line for line in shown(Wanted(depth=1)) if "inside" in line] == ["… 7 steps inside, 1 failed", "… 3 steps inside"]


def test_failures_that_are_too_deep_are_counted_on_the_way_to_them() -> None:
    """The way is kept as far as it is wanted; a turn without failures is not."""
    lines = shown(Wanted(depth=1, errors=True))
    assert starts(lines) == ["1 user"]
    assert lines[-1].strip() == "… 7 steps inside, 1 failed"


@pytest.mark.parametrize("width", [24, 40, 80, 160])
def test_all_steps_are_numbered_in_order(width: int) -> None:
    """Numbers stand in the margin, also where steps are nested too deep for the width; prompts have theirs, where they are known."""
    lines = shown(Wanted(numbers=True), width=width)
    assert [int(line[:2]) for line in lines if line[:2].strip().isdigit()] == list(range(1, 13))
    if width == 160:
        assert [line.split("prompt ")[1][0] for line in lines if "  prompt " in line] == ["1", "3"]
