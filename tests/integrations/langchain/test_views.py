"""The real runs that the views are looked at with are what LangGraph does today."""

from __future__ import annotations

import inspect

import pytest
from langchain.agents import create_agent
from langchain_core.tools import ToolException, tool

from tests._render.real_runs import recorded
from tests._render.told import told_of
from tests.integrations.langchain.parts import Scripted, ask, calls
from whyops._render.markdown import render_brief
from whyops._trace.recorded import RecordedTrace

try:
    from langchain.agents.middleware import human_in_the_loop

    from tests.integrations.langchain import runs
except ImportError:
    pytest.skip("this version of LangChain does not have all of these middlewares", allow_module_level=True)

tells_of_humans = pytest.mark.skipif(
    "human reviewer replaced" not in inspect.getsource(human_in_the_loop), reason="this version does not tell the model of an edited call"
)


@pytest.mark.parametrize("name", ["hand_off", "cancelled", "resumed", "tries"])
def test_a_run_is_told_as_the_one_that_is_kept(name):
    """Steps, who acts, tries, what was chosen and told: the kept texts show what really happens."""
    assert told_of(runs.record(name)) == told_of(recorded(name))


@tells_of_humans
def test_what_became_of_chosen_calls_is_told_as_in_the_run_that_is_kept():
    """The tools run at the same time, in any order."""
    assert sorted(told_of(runs.record("reviewed")), key=str) == sorted(told_of(recorded("reviewed")), key=str)


def test_parallel_questions_have_their_answers():
    """Whichever comes first."""
    told = [(label, text) for _, _, label, text, *_ in told_of(runs.record("parallel"))]
    pairs = {told[place][1]: told[place + 1] for place in (0, 2, 4)}
    assert pairs == {f"Tell a joke of {one}": ("model scripted-1", f"A joke of {one}.") for one in ("cats", "dogs", "owls")}


def test_a_long_run_is_told_in_2000_tokens(captured, handler):
    """Of 40 searches the first and the last; what was asked, what failed, and the answer, whole."""

    @tool
    def search(place: int) -> str:
        """Look somewhere."""
        if place == 20:
            raise ToolException("no such place")
        return f"nothing at place {place}, " * 10

    def next_step(messages):
        searched = sum(message.type == "tool" for message in messages)
        return calls(("search", {"place": searched})) if searched < 40 else "It was behind you all the time."

    search.handle_tool_error = True
    instructions = "Look at one place after the other. " * 10
    agent = create_agent(Scripted(reply=next_step), [search], system_prompt=instructions)
    agent.invoke(ask("Where is it?"), {"callbacks": [handler], "recursion_limit": 100})
    text = render_brief(RecordedTrace.from_events(captured.events), budget=2000)
    assert len(text) / 4 <= 2000
    assert instructions.strip() in text
    for words in (
        "**user**: Where is it?",
        "search(place=0)",
        "**FAILED**: ",
        "no such place",
        "It was behind you all the time.",
        "folded here (model scripted-1, search: ",
    ):
        assert words in text
