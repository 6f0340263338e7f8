"""A model's prompt as it saw it."""

from __future__ import annotations

import pytest

from tests._render import real_runs
from tests._render.recordings import Run, conversation
from tests._render.terminal.test_tree import HOSTILE
from whyops._render.terminal.prompt import render_prompt
from whyops._render.terminal.width import width_of
from whyops._trace.recorded import RecordedTrace

TEAM = RecordedTrace.from_events(real_runs.recorded("team"))


def test_what_is_new_is_marked() -> None:
    """A second agent's prompt: the whole text, with a plus before each message that no earlier prompt had."""
    assert render_prompt(TEAM, 2, width=80, color=False) == (
        "team                                                           model call 2 of 3\n"
        "maths · run_agent_step · model scripted-1 · 4 messages (3 new)\n"
        "2 tools offered: add, handoff\n"
        "temperature=0.5\n"
        "\n"
        "+ system\n"
        "+   Always show the sum.\n"
        "  user\n"
        "    What is 1 + 2?\n"
        "+ assistant\n"
        '+   → handoff(to_agent="maths", reason="needs a sum")\n'
        "+ tool call-0\n"
        "+   Agent maths is now handling the request due to the following reason: needs a\n"
        "+   sum.\n"
        "+   Please continue with the current request.\n"
    )


def test_a_prompt_that_is_not_known() -> None:
    """A call whose prompt nothing tells of says so; a number that no call has gives nothing."""
    trace = RecordedTrace.from_events(conversation())
    assert "Nothing that is recorded here tells of the prompt." in (render_prompt(trace, 2, width=80, color=False) or "")
    assert [render_prompt(trace, number, width=80, color=False) for number in (0, 4)] == [None, None]


def test_a_message_that_is_not_here() -> None:
    """Its place is kept, and counted."""
    lacking = [event for event in real_runs.recorded("team") if event["eventType"] != "tool_call_response"]
    text = render_prompt(RecordedTrace.from_events(lacking), 3, width=80, color=False) or ""
    assert "not recorded here" in text.splitlines()[1]
    assert "(a message that is not recorded here)" in text


@pytest.mark.parametrize("width", [5, 40, 160])
def test_every_message_is_whole_and_printable(width: int) -> None:
    """At any width nothing is cut, and nothing controls the terminal."""
    run = Run()
    run.user(f"{HOSTILE}{'東京' * 500}END")
    run.model("ok")
    text = render_prompt(RecordedTrace.from_events(run.events), 1, width=width, color=False) or ""
    assert "END" in text.replace("\n+   ", "")
    assert max(map(width_of, text.splitlines())) <= max(width, 24)
    assert [char for char in text if not char.isprintable() and char != "\n"] == []
