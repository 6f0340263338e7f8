"""The frame around recorded text, and cutting to a budget."""

from __future__ import annotations

import pytest

from whyops._mcp.frame import FRAME, LEAST_BUDGET, MOST_BUDGET, beginning, both_ends, framed, inside
from whyops._render.markdown import estimated_tokens


def test_the_frame_is_new_each_time() -> None:
    """What an answer held, and was recorded again, can't end another's frame."""
    first = framed("x")
    second = framed(first)
    last = second.rpartition("\n")[2]
    assert second.count(last) == 1
    assert last not in first


@pytest.mark.parametrize("budget", [-5, LEAST_BUDGET, 10**9])
def test_a_budget_is_bounded(budget: int) -> None:
    """However much is asked for, something fits inside, and not everything."""
    assert LEAST_BUDGET <= inside(budget) + FRAME <= MOST_BUDGET


@pytest.mark.parametrize("text", ["ü" * 5000, "line\n" * 5000, f"{'x' * 5000}\nline", "line\n" + "€" * 5000, "\n" * 5000])
def test_a_beginning_fits(text: str) -> None:
    """A text is cut after a line, its first one also within; what is left out is counted."""
    cut = beginning(text, 200)
    assert estimated_tokens(cut) <= 200
    assert text.startswith(cut.rpartition("\n")[0].rstrip("…"))
    assert cut.endswith("left out here")
    assert beginning("short", 200) == "short"


def test_both_ends_stay() -> None:
    """Parts are left out in the middle, and counted; those that fit are all there."""
    parts = [f"{number}. {'x' * 90}" for number in range(20)]
    cut = both_ends(parts, 200, "message").split("\n")
    assert [line.split(".")[0] for line in cut if line[0].isdigit()] == ["0", "1", "2", "18", "19"]
    assert cut[3] == "… 15 messages left out here"
    assert estimated_tokens("\n".join(cut)) <= 200
    assert both_ends(parts[:2], 200, "message") == "\n".join(parts[:2])
