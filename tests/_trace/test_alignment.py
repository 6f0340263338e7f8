"""Two runs in pairs: what counts as the same decision, and what comes of runs that part."""

from __future__ import annotations

import pytest

from tests._render.recordings import Run
from whyops._trace.alignment import Pair, aligned, comparable
from whyops._trace.recorded import RecordedTrace


def trace(*calls: tuple[str, object, object], name: str = "a") -> RecordedTrace:
    run = Run(name)
    run.user("Go")
    for number, (tool, arguments, result) in enumerate(calls):
        run.tool(tool, arguments, result, f"{name}-{number}")
    return RecordedTrace.from_events(run.events)


def told(pairs: tuple[Pair, ...]) -> list[str]:
    """Return each pair as a sign and its tool."""

    def sign(pair: Pair) -> str:
        if pair.first is None or pair.second is None:
            return "+" if pair.first is None else "-"
        return "=" if pair.is_alike else "≈" if pair.is_same_decision else "~"

    named = ((sign(pair), pair.first or pair.second) for pair in pairs)
    return [f"{mark} {decision.name or decision.step.kind}" for mark, decision in named if decision is not None]


A, B, C = ("a", {"n": 1}, "x"), ("b", {"n": 1}, "x"), ("c", {"n": 1}, "x")


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ((A, B), (A, B), ["= user", "= a", "= b"]),
        ((A, B), (A, C, B), ["= user", "= a", "+ c", "= b"]),
        ((A, C, B), (A, B), ["= user", "= a", "- c", "= b"]),
        ((A, B), (A, C), ["= user", "= a", "- b", "+ c"]),
        ((A, B), (A, ("b", {"n": 2}, "x")), ["= user", "= a", "~ b"]),
        ((A, B), (A, ("b", {"n": 1}, "y")), ["= user", "= a", "≈ b"]),
        ((A, B), (A, ("b", {"n": 1}, {"error": "no"})), ["= user", "= a", "≈ b"]),
        ((A, B, A), (A,), ["= user", "= a", "- b", "- a"]),
        ((), (A,), ["= user", "+ a"]),
        ((A,) * 5, (A,) * 3, ["= user", *["= a"] * 3, *["- a"] * 2]),
    ],
)
def test_runs_are_aligned_by_what_was_decided(first, second, expected):
    """The same tool with the same arguments belongs together, else the same tool; what one alone did stands alone."""
    assert told(aligned(trace(*first, name="a"), trace(*second, name="b"))) == expected


@pytest.mark.parametrize(
    "one, other",
    [
        ("at 2026-11-23T10:00:00Z", "at 2026-11-24T11:30:12.5+01:00"),
        ({"id": "5e0f6bb2-4b4e-4d2f-9a55-0d6f6e5f2b11"}, {"id": "00000000-4b4e-4d2f-9a55-0d6f6e5f2b11"}),
        ("call_abcdefgh12", "call_ABCDEFGH34"),
        ({"b": 1, "a": [1, None]}, {"a": [1, None], "b": 1}),
    ],
)
def test_ids_and_times_do_not_count(one, other):
    """What changes with each run is no difference, nor is the order of a mapping's keys."""
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    "one, other", [("order 123", "order 124"), ("2026-11-23", "2026-11-24"), (1, "1"), (None, ""), ("call_me", "call_you")]
)
def test_what_was_decided_counts(one, other):
    """A date that somebody asked for, a number and its text, an order's number: they are what a run is about."""
    assert comparable([one]) != comparable([other])


def test_calls_at_the_same_time_in_another_order_are_the_same():
    """Which of two parallel calls began first is chance."""

    def parallel(*names: str) -> RecordedTrace:
        run = Run("-".join(names))
        run.user("Go")
        for name in names:
            run.request(name, {}, name)
        for name in names:
            run.response(name, 1, name, ms=20)
        return RecordedTrace.from_events(run.events)

    assert all(pair.is_alike for pair in aligned(parallel("a", "b", "c"), parallel("c", "a", "b")))


def test_calls_one_after_another_in_another_order_are_not_the_same():
    """There the order is a decision."""
    assert told(aligned(trace(A, B), trace(B, A, name="b"))) != ["= user", "= a", "= b"]


def test_long_runs_are_aligned():
    """Two runs of thousands of calls, with one between them that only one made."""
    calls = [("poll", {"n": number}, number) for number in range(3_000)]
    pairs = aligned(trace(*calls), trace(*calls[:1_500], B, *calls[1_500:], name="b"))
    assert [told((pair,))[0] for pair in pairs if not pair.is_alike] == ["+ b"]
