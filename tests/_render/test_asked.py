"""What was asked, as a list of traces says it."""

from __future__ import annotations

from tests._render.recordings import Run
from whyops._render.asked import asked_text
from whyops._wire.read import RecordedEvent


def asked(run: Run, calls: int = 0) -> str:
    return asked_text(RecordedEvent(run.events[0]), calls)


def test_what_a_list_says() -> None:
    """A user's words; where nobody says anything, the call that it began with; nothing of what began in another way."""
    said, called, failed, step = Run(), Run(), Run(), Run()
    said.user("first", "Where is it?")
    called.tool("look_up", {"order": "123"}, 1, "s1")
    failed.add("error", {"message": "no"})
    step.request("run", {"a": 1}, "s1", stands_for="run")
    assert asked(said, 3) == "Where is it?"
    assert asked(called, 1) == 'look_up(order="123")'
    assert asked(called, 3) == 'look_up(order="123") and 2 more calls'
    assert (asked(called), asked(failed, 1)) == ("", "")
