"""Steps that repeat themselves."""

from __future__ import annotations

import pytest

from tests._trace.chosen import answers, asks, runs, trace_of
from whyops._render.folding import Folded, folded
from whyops._render.step_text import step_text
from whyops._trace.recorded import RecordedTrace


def told(trace: RecordedTrace, *labelled: int) -> list[object]:
    """Return the names of the steps, and what is folded; `labelled` are the places of steps before which an actor is named."""
    said = {id(step): step_text(step) for step in trace.walk()}
    labels = {id(trace.steps[place]): "desk" for place in labelled}
    return [one if isinstance(one, Folded) else said[id(one)].name for one in folded(trace.steps, said, labels)]


def called(*names: str) -> RecordedTrace:
    return trace_of(*(event for name in names for event in runs(name, {}, {"error": "no"} if name == "bad" else 1, None)))


@pytest.mark.parametrize(
    "names, expected",
    [
        ("abc", list("abc")),
        ("aaa", list("aaa")),
        ("aaaaa", ["a", Folded(3, ("a",), 3), "a"]),
        ("xabababab", ["x", "a", "b", Folded(2, ("a", "b"), 4), "a", "b"]),
        ("abcabcabcabcx", ["a", "b", "c", Folded(2, ("a", "b", "c"), 6), "a", "b", "c", "x"]),
        ("aaaabbbb", ["a", Folded(2, ("a",), 2), "a", "b", Folded(2, ("b",), 2), "b"]),
        ("", []),
    ],
)
def test_the_first_and_the_last_round_stay(names: str, expected: list[object]) -> None:
    """Of four or more rounds of one to three steps; what is between is counted."""
    assert told(called(*names)) == expected


def test_rounds_have_steps_inside() -> None:
    """A model that calls a tool each time is a round of two steps; one that calls another tool is not like it."""
    rounds = [[answers(f"say {n}", chosen=[(f"c{n}", "f", {})]), *runs("f", {"n": n}, n, f"c{n}")] for n in range(6)]
    other = [answers("other", chosen=[("c9", "g", {})]), *runs("g", {}, 1, "c9")]
    trace = trace_of(asks("a?"), *(event for one in rounds for event in one), *other)
    assert told(trace) == ["user", "m", Folded(4, ("model m", "f"), 8), "m", "m"]


def test_what_is_like_nothing_else() -> None:
    """A failure, a user's words, and where another begins to act are always there."""
    assert told(called(*"aa", "bad", *"aa")) == ["a", "a", "bad", "a", "a"]
    assert told(trace_of(*(asks("again") for _ in range(5)))) == ["user"] * 5
    assert told(called(*"aaaa"), 2) == ["a"] * 4
