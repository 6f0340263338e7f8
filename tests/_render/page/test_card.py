"""What the page's card says of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests._render.recordings import ALIVE, Run, conversation
from whyops._render.page.data import report_data
from whyops._trace.recorded import RecordedTrace


def data_of(run: Run) -> dict[str, object]:
    (trace,) = report_data([RecordedTrace.from_events(run.events)], lambda process: process == ALIVE)["traces"]  # type: ignore[misc, attr-defined]
    return trace  # type: ignore[no-any-return]


def answered(run: Run) -> None:
    run.tool("f", {}, {"error": "no"}, "s1")
    run.model("Here it is.")


def failed_at_last(run: Run) -> None:
    run.model("I look.")
    run.tool("f", {}, {"error": "no"}, "s1")


def failed_inside(run: Run) -> None:
    run.model("I look.")
    run.tool("f", {}, "found elsewhere", "s1", lambda: run.tool("g", {}, {"error": "no"}, "s2", parent="s1"))


def left_by_an_error(run: Run) -> None:
    run.model("I look.")
    run.add("error", {"message": "no", "type": "KeyError"})


def left_open(run: Run) -> None:
    run.model(None, [("f", {})])
    run.request("f", {}, "s1")


def cut_off(run: Run) -> None:
    run.model("Here i", interrupted="CancelledError")


@pytest.mark.parametrize(
    "record, state, outcome",
    [
        (answered, "good", "answered, after 1 error"),
        (failed_at_last, "bad", "failed"),
        (failed_inside, "good", "answered, after 1 error"),
        (left_by_an_error, "bad", "failed"),
        (left_open, "open", "not finished: process ended here"),
        (cut_off, "open", "interrupted (CancelledError)"),
        (lambda _: None, "open", "no answer recorded"),
    ],
)
def test_the_outcome(record: Callable[[Run], None], state: str, outcome: str) -> None:
    """A run is answered, failed, still open, or was stopped: by what happened last, and not by errors that were dealt with."""
    run = Run()
    run.user("Where is it?")
    record(run)
    card = data_of(run)["card"]
    assert isinstance(card, dict)
    assert (card["state"], card["outcome"]) == (state, outcome)


def test_a_run_that_goes_on() -> None:
    """A call whose process is alive is no end."""
    run = Run(process=ALIVE)
    left_open(run)
    assert data_of(run)["card"] == {"questions": 0, "state": "open", "outcome": "still running"}


def test_work_without_a_question() -> None:
    """A run that only calls tools has finished when they have."""
    run = Run()
    run.tool("f", {}, 1, "s1")
    assert data_of(run)["card"] == {"questions": 0, "state": "good", "outcome": "finished"}


def test_where_to_look() -> None:
    """The card names the steps that asked first, answered last, and failed first."""
    (trace,) = report_data([RecordedTrace.from_events(conversation())], None)["traces"]  # type: ignore[misc, attr-defined]
    steps, card = trace["steps"], trace["card"]
    assert card["questions"] == 2
    texts = [steps[card[name]]["text"][:12] for name in ("asked", "answered", "failed")]
    assert texts == ["Where is ord", "You are welc", 'order_id="11']
