"""Which calls of a model are tries of the same prompt."""

from __future__ import annotations

from typing import Any

import pytest

from tests._trace.chosen import answers, asks, fails, shape, trace_of
from whyops._trace.recorded import RecordedTrace

P = "aaaaaaaaaaaaaaaa"


def attempts(trace: RecordedTrace) -> list[Any]:
    return [step.context.attempt for step in trace.walk() if step.kind in ("model", "error")]


def test_the_same_prompt_after_an_error() -> None:
    """Whether it is told by ids or recorded again; who asks again is no second message of the user."""
    trace = trace_of(
        asks("a?", "1", idempotencyKey="a"),
        fails("1"),
        fails("2", ["a/0"]),
        asks("a?", "3"),
        answers("a!", "3", interrupted="Timeout"),
        asks("a?", "4"),
        answers("a!", "4"),
    )
    assert [kind for _, kind, _ in shape(trace)] == ["user", "error", "error", "model", "model"]
    assert attempts(trace) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(trace.model_calls) == 4


@pytest.mark.parametrize(
    "later",
    [
        [asks("b?", "2"), answers("b!", "2")],  # another prompt
        [answers("a!", "2", ids=["a/0", "gone"])],  # a part of it is not known
        [asks("a?"), answers("a!")],  # without an id nothing tells which call an error is of
        [answers("a!", "2", ids=[])],
    ],
)
def test_what_is_none(later: list[dict[str, Any]]) -> None:
    """Nothing is guessed."""
    trace = trace_of(asks("a?", "1", idempotencyKey="a"), fails("1"), *later)
    assert attempts(trace) == [None, None]


def test_an_answer_is_not_tried_again() -> None:
    """Who asks the same again after an answer only asks again."""
    trace = trace_of(asks("a?", "1"), answers("a!", "1"), asks("a?", "2"), fails("2"))
    assert attempts(trace) == [None, None]


@pytest.mark.parametrize("began, attempt", [(3, None), (5, (2, 2))])
def test_what_ran_at_the_same_time_is_no_try(began: int, attempt: Any) -> None:
    """A call has the number of its beginning: it is a try, if it began when the other had failed."""
    trace = trace_of(
        asks("a?", f"{P}-1", idempotencyKey="a"),
        fails(f"{P}-1", idempotencyKey=f"{P}-4"),
        fails(f"{P}-{began}", ["a/0"], idempotencyKey=f"{P}-6"),
    )
    assert attempts(trace)[1] == attempt
