"""`instrument()`: what LangChain runs inside a trace's block is recorded without a handler, and nothing else is."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Iterator

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool as langchain_tool
from langchain_core.tracers import context as tracers

import whyops
from tests.integrations.langchain.parts import Scripted, ask, calls, tool_spans, types
from tests.racing import quick_switches, together
from whyops.integrations.langchain import WhyOpsCallbackHandler, _hook, instrument
from whyops.testing import MemorySink

ONE_RUN = ["user_message", "llm_response", "tool_call_request", "tool_call_response", "llm_response"]


@pytest.fixture
def instrumented() -> Iterator[None]:
    with instrument():
        yield


@langchain_tool
@whyops.tool
def find(order: str) -> str:
    """Find an order."""
    return order


def an_agent():
    return create_agent(Scripted(answers=[calls(("find", {"order": "1"})), "Done."]), [find])


@pytest.mark.usefixtures("instrumented")
def test_a_block_records_what_runs_in_it(captured):
    """Inside `with whyops.trace(…)` a whole agent is recorded, sync and async, with nothing passed to it."""

    async def main() -> None:
        async with whyops.trace("second"):
            await an_agent().ainvoke(ask())

    with whyops.trace("first"):
        an_agent().invoke(ask())
    asyncio.run(main())
    assert types(captured) == ONE_RUN * 2
    assert [event["traceId"] for event in captured.events] == ["first"] * 5 + ["second"] * 5


@pytest.mark.usefixtures("instrumented")
def test_outside_a_block_nothing_is_touched(captured):
    """Before, after and beside a block, LangChain runs as if nothing were instrumented."""
    Scripted(answers=["Fine."]).invoke("Hi")
    with whyops.trace("t"):
        pass
    Scripted(answers=["Fine."]).invoke("Hi")
    assert captured.events == []


@pytest.mark.usefixtures("instrumented")
def test_threads_and_tasks_of_a_block_belong_to_it(captured):
    """Batches and parallel branches that are started in a block are recorded in its trace."""
    both = RunnableParallel(a=Scripted(reply=lambda _: "A"), b=Scripted(reply=lambda _: "B"))
    with whyops.trace("t"):
        both.batch(["1", "2", "3"])
        asyncio.run(both.abatch(["4", "5"]))
    assert {event["traceId"] for event in captured.events} == {"t"}
    assert len(captured.of_type("llm_response")) == 10


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("place", ["config", "constructor", "bound"])
def test_a_handler_that_is_passed_as_well_adds_nothing(captured, handler, place):
    """Wherever another handler is passed, each event is recorded once."""
    model = Scripted(answers=["Fine."], callbacks=[handler] if place == "constructor" else None)
    chain = RunnableLambda(lambda text: text) | (model.with_config(callbacks=[handler]) if place == "bound" else model)
    with whyops.trace("t"):
        chain.invoke("Hi", {"callbacks": [handler]} if place == "config" else {})
    assert types(captured) == ["user_message", "llm_response"]


@pytest.mark.usefixtures("instrumented")
def test_a_passed_handlers_own_trace_holds_where_it_records(captured):
    """A handler that was given a trace id records there, and the instrumentation leaves the run to it."""
    with whyops.trace("t"):
        an_agent().invoke(ask(), {"callbacks": [WhyOpsCallbackHandler(trace_id="own")]})
    assert {event["traceId"] for event in captured.events} == {"own"}
    assert types(captured) == ONE_RUN


@pytest.mark.usefixtures("instrumented")
def test_a_model_under_a_decorated_function_is_its_child(captured):
    """In a `@whyops.tool` function's body, what LangChain runs names that function's span as its parent."""

    @whyops.tool
    def summarise(text: str) -> str:
        return Scripted(answers=["Short."]).invoke(text).content

    with whyops.trace("t"):
        summarise("long")
    (span,) = tool_spans(captured)["summarise"]
    assert [event["metadata"].get("parentSpanId") for event in captured.events] == [None, span, span, None]


def say_hello() -> None:
    with whyops.trace("t"):
        an_agent().invoke(ask())


ONLY_THE_TOOL = ["tool_call_request", "tool_call_response"]


def test_a_block_in_a_block_leaves_the_outer_one_on(captured):
    """The inner block's arguments hold inside it; after it those of the outer one do, and after that nothing is recorded by itself."""
    with instrument():
        with instrument(llm_events=False):
            say_hello()
            with instrument():
                say_hello()
            say_hello()
        say_hello()
    say_hello()
    assert types(captured) == [*ONLY_THE_TOOL, *ONE_RUN, *ONLY_THE_TOOL, *ONE_RUN, *ONLY_THE_TOOL]  # the last by `@whyops.tool` alone


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_calls_are_taken_back_in_any_order(captured, order):
    """The latest that is still in force decides; a second `uninstrument` of the same one takes back no other."""
    wanted = [True, False, True]
    instrumentations = [instrument(llm_events=llm_events) for llm_events in wanted]
    open_ones = [0, 1, 2]
    expected = []
    for index in order:
        say_hello()
        expected += ONE_RUN if wanted[open_ones[-1]] else ONLY_THE_TOOL
        for _ in range(2):
            instrumentations[index].uninstrument()
        open_ones.remove(index)
    say_hello()
    assert types(captured) == [*expected, *ONLY_THE_TOOL]


def test_trace_and_user_of_the_arguments(captured):
    """The argument wins over the trace that is current; with one, what runs outside of any block is recorded, too."""
    with instrument(trace_id="asked-for", external_user_id="u1"):
        an_agent().invoke(ask())
        with whyops.trace("current"):
            an_agent().invoke(ask())
    assert {(event["traceId"], event["externalUserId"]) for event in captured.events} == {("asked-for", "u1")}
    assert types(captured) == ONE_RUN * 2


def test_a_client_of_ones_own(captured):
    """Its events go where it sends them, whosever trace is current."""
    sink = MemorySink()
    with whyops.WhyOps(agent_name="mine", sink=sink, outbox="memory") as client:
        with instrument(client), captured.client.trace("current"):
            Scripted(answers=["Fine."]).invoke("Hi")
        client.flush_sync()
    assert [event["agentName"] for event in sink.events] == ["mine", "mine"]
    assert captured.events == []


def test_instrumenting_again_and_again_registers_once(captured):
    """However often it is called, LangChain has one hook of ours, and a program that calls it at each request keeps nothing of them."""
    with instrument():
        hooks = len(tracers._configure_hooks)
        for _ in range(3):
            with instrument():
                pass
        assert len(tracers._configure_hooks) == hooks
        say_hello()
    assert types(captured) == ONE_RUN
    assert _hook.in_force.latest() is None


def test_threads_may_instrument_at_once(captured):
    """Each takes back its own and no other's, and none is without a hook while it is on."""

    def instrumented_run(trace_id: str) -> None:
        for _ in range(20):
            with instrument(), whyops.trace(trace_id):
                Scripted(answers=["Fine."]).invoke("Hi")

    with quick_switches():
        together(*[lambda number=number: instrumented_run(f"t{number}") for number in range(4)])
    assert len(captured.of_type("llm_response")) == 80
    assert _hook.in_force.latest() is None


def test_importing_alone_changes_nothing():
    """The import registers no hook with LangChain, makes no client, and starts no thread."""
    code = (
        "import threading, langchain_core.tracers.context as tracers; before = list(tracers._configure_hooks)\n"
        "import whyops.integrations.langchain, whyops._client as client\n"
        "assert tracers._configure_hooks == before and client.open_clients.made_and_arrived() == ([], []) and threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_one_sentence_tells_the_pip_line():
    """Where LangChain is missing, importing the integration says in one sentence how to get it; nothing else of the package needs it."""
    code = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "import whyops\n"
        "try: import whyops.integrations.langchain\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "whyops.integrations.langchain needs langchain_core: pip install 'langchain-core>=1.0.2'\n"
