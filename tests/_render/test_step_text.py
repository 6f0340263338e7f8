"""What all views say of a step."""

from __future__ import annotations

import pytest

from tests._render.recordings import ALIVE, Run, conversation
from whyops import RecordedTrace
from whyops._render.json import trace_data
from whyops._render.markdown import render_brief
from whyops._render.page.data import report_data
from whyops._render.step_text import FAILED, INTERRUPTED, OPEN, RESULT, StepText, step_text
from whyops._render.terminal.tree import render_tree
from whyops._trace.steps import Step


def described(run: Run) -> list[StepText]:
    return [step_text(step) for step in RecordedTrace.from_events(run.events).walk()]


def odd_run() -> Run:
    run = Run()
    run.tool("stopped", {}, {"interrupted": "CancelledError"}, "o1", interrupted="CancelledError")
    run.tool("partly", {}, [1, 2], "o2", interrupted="KeyboardInterrupt")
    run.tool("left", {}, [1], "o3", closedEarly=True)
    run.tool("told", {}, {"error": "no such order"}, "o4")
    run.request("open", {}, "o5")
    run.add("error", {"message": "no quota", "status": 429})
    return run


def test_how_a_call_ended() -> None:
    """Each way in which a call ends has a state and one wording."""
    assert [(said.name, said.state, said.outcome, said.warnings) for said in described(odd_run())] == [
        ("stopped", INTERRUPTED, "interrupted (CancelledError)", ()),
        ("partly", RESULT, "[1, 2]", ("interrupted (KeyboardInterrupt)",)),
        ("left", RESULT, "[1]", ("closed early by its reader",)),
        ("told", FAILED, "no such order", ()),
        ("open", OPEN, "no response recorded", ()),
        ("error", FAILED, "", ()),
    ]


def test_how_an_answer_ended() -> None:
    """An answer that was cut off says by what, and chose no tools that would be missing; one in a form that was asked for is its call's."""
    run = Run()
    run.model("Half an", interrupted="CancelledError")
    run.add("llm_response", {}, {"interrupted": "CancelledError"})
    run.model("Half an", [("find", {})], closedEarly=True)
    run.model(None, [("Report", {"sky": "blue"})], structured_output=True)
    assert [(said.text, said.state, said.facts, said.not_recorded, [value.title for value in said.values]) for said in described(run)] == [
        ("Half an", INTERRUPTED, ("interrupted (CancelledError)",), (), ["Answer"]),
        ("", INTERRUPTED, ("interrupted (CancelledError)",), (), []),
        ("Half an", "", ("closed early by its reader",), (), ["Answer", "Requested tools"]),
        ('{"sky": "blue"}', "", (), (), ["Requested tools"]),
    ]


@pytest.mark.parametrize("alive, expected", [(True, "still open"), (False, "process ended here"), (None, "no response recorded")])
def test_a_call_without_a_response(alive: bool | None, expected: str) -> None:  # noqa: FBT001  (pytest hands it in)
    """What is known of the process that made a call says why its response is missing."""
    run = Run(process=ALIVE)
    run.request("slow", {}, "o1")
    (step,) = RecordedTrace.from_events(run.events).steps
    assert step_text(step, lambda _: alive).outcome == expected


def test_all_views_say_the_same() -> None:
    """Outcomes, facts and warnings are worded alike in the terminal, in Markdown, in a notebook and on the page."""
    trace = RecordedTrace.from_events([*conversation(), *odd_run().events])
    html, terminal, brief = trace._repr_html_(), render_tree(trace, width=250, color=False), render_brief(trace, budget=100_000)
    (page,) = report_data([trace], None)["traces"]  # type: ignore[misc, attr-defined]
    steps = [value for step in page["steps"] for value in (step.get("result"), step.get("open"), *step.get("notes", ()))]
    for wording in (
        "interrupted (CancelledError)",
        "closed early by its reader",
        "no such order",
        "no response recorded",
        "1 value redacted",
        "3 tools offered",
    ):
        assert [name for name, text in {"html": html, "terminal": terminal, "markdown": brief}.items() if wording not in text] == []
        assert wording in steps


def test_values_are_where_they_say() -> None:
    """Each value that can be shown whole lies in its event under the keys that lead to it."""
    trace = RecordedTrace.from_events([*conversation(), *odd_run().events])
    for said in map(step_text, trace.walk()):
        for value in said.values:
            found: object = value.event.raw
            for key in value.path:
                found = found[key]  # type: ignore[index]
            assert found == value.value or said.state == INTERRUPTED


def test_a_step_is_one_line() -> None:
    """The `repr` of a step says what it is, and holds none of its values."""
    trace = RecordedTrace.from_events(conversation())
    told = [repr(step) for step in trace.walk()]
    assert told[2:4] == ["<LLMResponse openai/gpt-4o-mini: 1 event>", "<ToolCall search_orders: 2 events>"]
    assert all(len(text) < 100 and "\n" not in text for text in told)
    assert trace_data(trace)["steps"]


def told(*calls: tuple[str, str], failed: bool = False) -> Step:
    """Give the step of a prompt that tells a model what its tools gave, in Anthropic's form."""
    asked = [{"type": "tool_use", "id": name, "name": name, "input": {"of": name}} for name, _ in calls]
    results = [{"type": "tool_result", "tool_use_id": name, "content": result, "is_error": failed} for name, result in calls]
    messages = [{"role": "assistant", "content": asked}, {"role": "user", "content": results}]
    (step,) = RecordedTrace.from_events([{"eventType": "tool_result", "content": messages}]).steps
    return step


def lost(result: str) -> Step:
    """Give the step of a prompt that has no call for its result."""
    (step,) = RecordedTrace.from_events([{"eventType": "tool_result", "content": [{"role": "tool", "content": result}]}]).steps
    return step


@pytest.mark.parametrize(
    "step, text, outcome, values",
    [
        (
            told(("f", "1")),
            'of="f"',
            '"1"',
            [
                ("Arguments", {"of": "f"}, ("content", 0, "content", 0, "input")),
                ("Result", "1", ("content", 1, "content", 0, "content")),
            ],
        ),
        (
            told(("f", "no"), failed=True),
            'of="f"',
            "no",
            [
                ("Arguments", {"of": "f"}, ("content", 0, "content", 0, "input")),
                ("Error", "no", ("content", 1, "content", 0, "content")),
            ],
        ),
        (
            lost("1"),
            "",
            '"1"',
            [("Result", "1", ("content", 0, "content"))],
        ),
        (
            told(("f", "1"), ("g", "2")),
            'f(of="f"), g(of="g")',
            '["1", "2"]',
            [
                ("Arguments", [{"name": "f", "arguments": {"of": "f"}}, {"name": "g", "arguments": {"of": "g"}}], ("content",)),
                ("Result", ["1", "2"], ("content",)),
            ],
        ),
    ],
)
def test_results_that_a_prompt_tells(step: Step, text: str, outcome: str, values: list[object]) -> None:
    """Each value is the tool's, and stands where the prompt has it; several together stand in the whole prompt."""
    said = step_text(step)
    assert (said.text, said.outcome) == (text, outcome)
    assert [(value.title, value.value, value.path) for value in said.values] == values
