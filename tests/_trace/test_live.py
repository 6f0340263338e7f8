"""Events as they come: each step once, when it has ended, in whatever order the events of several runs arrive."""

from __future__ import annotations

from tests._render.recordings import Event, Run
from whyops._trace.live import LiveSteps
from whyops._trace.steps import Step


def told(steps: list[Step]) -> list[str]:
    return [f"{step.kind} {getattr(step, 'name', '')}".strip() for step in steps]


def added(live: LiveSteps, *events: Event, now: float = 0) -> list[str]:
    return told(list(live.add(events, now)))


def call(trace_id: str = "a", result: object = 1) -> list[Event]:
    run = Run(trace_id)
    run.tool("search", {"q": 1}, result, "s1")
    return run.events


def test_a_call_is_told_at_its_end() -> None:
    """The request alone tells nothing; with the response it is one step."""
    live, (request, response) = LiveSteps(), call()
    assert added(live, request) == []
    assert added(live, response) == ["tool search"]


def test_the_same_span_in_two_traces() -> None:
    """They are two calls."""
    live, (first, first_end), (second, second_end) = LiveSteps(), call("a"), call("b")
    assert added(live, first, second, second_end) == ["tool search"]
    assert added(live, first_end) == ["tool search"]


def test_an_event_that_comes_twice_counts_once() -> None:
    """As it does, which waits first and is stored then."""
    live = LiveSteps()
    assert added(live, *call(), *call()) == ["tool search"]


def test_a_long_call_is_told_once_before_its_end() -> None:
    """And at its end again."""
    live, (request, response) = LiveSteps(), call()
    added(live, request, now=10)
    assert told(list(live.still_open(11.9, 2))) == []
    assert told(list(live.still_open(12, 2))) == ["tool search"]
    assert told(list(live.still_open(15, 2))) == []
    assert added(live, response, now=16) == ["tool search"]


def test_what_is_no_call_is_told_at_once() -> None:
    """Messages, answers and errors, and an end whose beginning was not seen."""
    run = Run()
    run.user("Hi")
    run.model("Hello")
    run.add("error", {"message": "ValueError: no"})
    assert added(LiveSteps(), *run.events, call("z")[1]) == ["user", "model", "error", "tool search"]


def test_an_error_belongs_to_its_call() -> None:
    """A failed call is one step, with its error."""
    run = Run()
    run.request("search", {}, "s1")
    run.add("error", {"message": "ValueError: no"}, span="s1")
    run.response("search", {"error": "no"}, "s1")
    (step,) = LiveSteps().add(run.events, 0)
    assert step.error == "ValueError: no"
