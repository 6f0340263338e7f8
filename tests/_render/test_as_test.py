"""A trace as a test: it is Python, it says what the run did, and it holds for the run itself, replayed."""

from __future__ import annotations

import pytest

import whyops
from whyops._render.as_test import render_test
from whyops._trace.recorded import RecordedTrace
from whyops.testing import Run, record

HOSTILE = "x'\"\n\\\x1b[2J{}%s\u202e`#"


@whyops.tool
def search(order_id: str, detailed: bool) -> dict[str, str]:  # noqa: FBT001  (what the run has as an argument)
    return {"status": "late"}


@whyops.tool
def refund(amount: float, note: str) -> str:
    raise TimeoutError("the bank is away")


def agent(question: str) -> None:
    """Look up twice, and refund in vain."""
    with whyops.trace() as trace:
        trace.user_message_sync([{"role": "user", "content": question}])
        search("123", detailed=True)
        search("124", detailed=False)
        with pytest.raises(TimeoutError):
            refund(0.5, HOSTILE)


def recorded(question: str) -> Run:
    with record() as run:
        agent(question)
    return run


def test_it_says_what_the_run_did() -> None:
    """The whole text, as a developer gets it."""
    events = [{**event, "traceId": "refund/1"} for event in recorded("Where is it?").events]
    assert render_test(RecordedTrace.from_events(events)) == (
        "# What trace 'refund/1' did, as a test. Put your agent in place of `agent`.\n"
        "from whyops.testing import record, replay\n"
        "\n"
        "\n"
        "def test_refund_1():\n"
        "    with replay('refund/1') as again, record() as run:\n"
        "        agent('Where is it?')  # its tools give what they gave; again.chat_model(), again.llm() or again.base_url answer\n"
        "    run.calls('search').times(2).with_arguments(order_id='123', detailed=True)\n"
        f"    run.calls('refund').times(1).with_arguments(amount=0.5, note={HOSTILE!a}).failing('TimeoutError')\n"
        "    run.called_in_order('search', 'refund')\n"
        "    run.called_only('search', 'refund')\n"
    )


@pytest.mark.parametrize("question", ["Where is it?", HOSTILE, ""])
def test_it_holds_for_the_run(question: str) -> None:
    """Run with the agent, replayed from its own trace, it passes."""
    run = recorded(question)
    text = render_test(run.trace).replace(f"replay({run.trace.trace_id!r})", "replay(stored)")
    (name,) = [line.removeprefix("def ").partition("(")[0] for line in text.splitlines() if line.startswith("def ")]
    names = {"agent": agent, "stored": run.trace}
    exec(compile(text, "test", "exec"), names)
    names[name]()  # type: ignore[operator]


def test_of_nothing() -> None:
    """A trace without a call says that there is none."""
    assert "run.calls().never()\n" in render_test(RecordedTrace("empty"))
