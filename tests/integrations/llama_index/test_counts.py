"""What an agent's run makes this package do does not grow unseen: a span costs few calls of its own, and each thing is taken apart once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

import whyops
from tests.integrations.llama_index.run import Run, buffer
from tests.integrations.llama_index.scripted import calls
from tests.profiled import counted_calls
from whyops._recording.arguments import arguments_of
from whyops._wire.usage import token_usage
from whyops.testing import Captured

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OURS = str(Path(whyops.__file__).parent)
RAW = {"usage": {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}, "choices": [{"finish_reason": "stop"}]}

MOST_FOR_A_STEP = 36
MOST_FOR_A_ROUND = 950
MOST_FOR_A_MESSAGE = 8


def counted() -> AbstractContextManager[Counter[str]]:
    """Count the calls of this package's functions in this thread, by their names."""
    return counted_calls(lambda frame: frame.f_code.co_name if frame.f_code.co_filename.startswith(OURS) else None)


class More(Event):
    """Asks for another step."""

    left: int


class Countdown(Workflow):
    """Takes as many steps as it is told."""

    @step
    async def begin(self, ev: StartEvent) -> More:
        return More(left=ev.left)

    @step
    async def go_on(self, ctx: Context, ev: More) -> More | StopEvent:  # noqa: ARG002  (as steps are written)
        return More(left=ev.left - 1) if ev.left else StopEvent(result="done")


def count_down(left: int) -> None:
    async def run() -> None:
        assert await Countdown().run(left=left) == "done"

    asyncio.run(run())


def found(order: str) -> dict[str, object]:
    """Find an order."""
    return {"order": order, "status": "shipped"}


async def afound(order: str) -> dict[str, object]:
    """Find an order."""
    return found(order)


def agents_run(rounds: int, tool: FunctionTool) -> Callable[[], None]:
    """Return what lets an agent ask for two tool calls, so many times, and answer."""
    asked = calls(("afound", {"order": "17"}), ("afound", {"order": "18"}))

    def go() -> None:
        run = Run(lambda: None, streamed=False)
        llm = run.llm(*[asked.model_copy(deep=True) for _ in range(rounds)], "It has shipped.", raw=RAW)
        run.go(run.agent(tools=[tool], llm=llm), "Where is it?", memory=buffer(100_000))

    return go


def times(go: Callable[[], Any]) -> Counter[str]:
    go()
    with counted() as calls_of_ours:
        go()
    return calls_of_ours


def test_a_step_that_shows_nothing_costs_few_calls(captured: Captured) -> None:
    """Of its span, and of the events that tell of it: what is not recorded is passed by."""
    few, many = (times(lambda left=left: count_down(left)).total() for left in (5, 25))
    assert 0 < (many - few) / 20 < MOST_FOR_A_STEP
    assert captured.events


def test_a_round_of_an_agent_costs_few_calls(captured: Captured) -> None:
    """A model's call and two tools'; it grows with the prompt by no more than a look at each message."""
    tool = FunctionTool.from_defaults(async_fn=afound, name="afound")
    two, four, six = (times(agents_run(rounds, tool)) for rounds in (2, 4, 6))
    assert (six - four).total() / 2 < MOST_FOR_A_ROUND
    per_message = ((six - four).total() - (four - two).total()) / 12  # two rounds of three messages, in two prompts
    assert per_message < MOST_FOR_A_MESSAGE
    assert captured.events


def test_a_message_is_taken_apart_once(captured: Captured) -> None:
    """One that stands in later prompts, as the object that it was, only shows that it was not changed."""
    tool = FunctionTool.from_defaults(async_fn=afound, name="afound")
    made = times(agents_run(4, tool))
    assert 0 < made["said"] <= 1 + 4 * 3 + 1  # the question, a choice and two results in each round, and the last answer
    assert made["seal"] == sum(1 + 3 * round_ for round_ in range(5)) + 5  # each prompt's messages, and each of the answers
    assert captured.events


def test_a_tools_function_is_taken_apart_once(captured: Captured) -> None:
    """Its signature and annotations, for all runs; and no longer than it is there."""
    made = times(agents_run(3, FunctionTool.from_defaults(async_fn=afound, name="afound")))
    assert made["by_name"] == 6
    assert not made["parameters_of"] + made["annotations_of"]
    assert captured.events


def test_what_is_known_of_a_function_does_not_keep_it() -> None:
    """Functions are made for one request, and may hold much of it."""
    import gc  # noqa: PLC0415  (for this alone)
    import weakref  # noqa: PLC0415  (so)

    def passing(order: str) -> str:
        return order

    assert arguments_of(passing) is arguments_of(passing)
    assert arguments_of(passing).by_name(("17",), {}) == {"order": "17"}
    gone = weakref.ref(passing)
    del passing
    gc.collect()
    assert gone() is None


def test_the_usual_counts_need_no_working_out() -> None:
    """Under our names, in the provider's object, or where a provider puts them in its answer."""
    usual = {"promptTokens": 60, "completionTokens": 40, "totalTokens": 100}
    for given in (usual, RAW["usage"], RAW):
        with counted() as made:
            assert token_usage(given) == usual
        assert not made["_counts"] + made["whole"]
