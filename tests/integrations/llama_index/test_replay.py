"""Replays of LlamaIndex's agents: its tools give back what they gave, its models answer as they did, and the run is the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import SummaryIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import FunctionTool, QueryEngineTool

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, in_turn
from whyops._testing import golden
from whyops._trace.recorded import RecordedTrace
from whyops.integrations.llama_index import instrument
from whyops.testing import ReplayError, Run, record, replay

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic's, in LlamaIndex's agents

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _instrumented() -> Any:
    RAN.clear()
    with instrument():
        yield


def where_is(order_id: str) -> dict[str, str]:
    """Find an order."""
    RAN.append("where_is")
    return {"city": "Kiel" if order_id == "123" else "Lübeck"}


async def weather(city: str, days: int = 1) -> str:
    """Tell the weather."""
    RAN.append("weather")
    return f"rain in {city} for {days}"


@whyops.tool
def plain_function(order_id: str) -> str:
    """Look up."""
    RAN.append("plain_function")
    return order_id * 2


def crash() -> str:
    """Crash."""
    RAN.append("crash")
    raise TimeoutError("too slow")


class CountingLLM(ScriptedLLM):
    """Says that it ran, in a query engine."""

    def _reply(self, messages: Any) -> Any:
        RAN.append("query")
        return super()._reply(messages)


def tools() -> list[Any]:
    engine = SummaryIndex(nodes=NODES).as_query_engine(llm=CountingLLM(script=lambda _: "Cats purr."))
    query = QueryEngineTool.from_defaults(engine, name="pets", description="Knows pets.")
    return [FunctionTool.from_defaults(one) for one in (where_is, weather, plain_function, crash)] + [query]


SCRIPT = (
    calls(("where_is", {"order_id": "123"}), ("weather", {"city": "Kiel"})),
    calls(("plain_function", {"order_id": "9"}), ("crash", {})),
    calls(("pets", {"input": "What do cats do?"})),
    "It rains in Kiel.",
)


def answer(llm: Any) -> str:
    async def main() -> str:
        return str(await FunctionAgent(tools=tools(), llm=llm, streaming=False).run("Where is order 123?"))

    return asyncio.run(main())


@pytest.fixture
def stored() -> Run:
    with record() as run, whyops.trace("stored"):
        assert answer(ScriptedLLM(script=in_turn(*SCRIPT))) == "It rains in Kiel."
    assert set(RAN) == {"where_is", "weather", "plain_function", "crash", "query"}
    RAN.clear()
    return run


def outline(run: Run) -> list[tuple[str, object, object]]:
    """Return the agent's own calls: the query engine's retriever does not run again."""
    called = [call for call in run.calls() if call.name != "SummaryIndexRetriever"]
    return sorted((call.name, str(call.arguments), str(call.result or call.error)) for call in called)


def test_an_agents_tools(stored: Run) -> None:
    """Of each kind: none runs, each gives what it gave."""
    with replay(stored), record() as second, whyops.trace("again"):
        assert answer(ScriptedLLM(script=in_turn(*SCRIPT))) == "It rains in Kiel."
    assert RAN == []
    assert outline(second) == outline(stored)


def test_an_agents_model(stored: Run) -> None:
    """With the recorded answers the whole run is made again, with no model and no tool."""
    with replay(stored) as again, record() as second, whyops.trace("again"):
        assert answer(again.llm()) == "It rains in Kiel."
    assert RAN == []
    assert outline(second) == outline(stored)


def test_another_decision(stored: Run) -> None:
    """A call that the recorded run does not have is an error at the end, also where the agent handles it."""
    with pytest.raises(ReplayError, match=r'has no call where_is\(order_id="999"\)'), replay(stored):
        answer(ScriptedLLM(script=in_turn(calls(("where_is", {"order_id": "999"})), "Done.")))
    assert RAN == []


def test_afterwards_they_run(stored: Run) -> None:
    """What was replaced is put back."""
    methods = vars(FunctionTool).copy(), vars(QueryEngineTool).copy()
    with replay(stored):
        assert "_fn" in vars(FunctionTool)
    assert (vars(FunctionTool), vars(QueryEngineTool)) == methods
    FunctionTool.from_defaults(where_is)(order_id="123")
    assert RAN == ["where_is"]


def test_a_golden_run(stored: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that was changed is caught, and shown where it parts from its golden run."""
    file = tmp_path / "golden.json"
    with monkeypatch.context() as patch:
        patch.setattr(golden, "update", True)
        stored.matches(file)
    changed = (calls(("where_is", {"order_id": "123"}), ("weather", {"city": "Lübeck"})), *SCRIPT[1:])
    with record() as second, whyops.trace("again"):
        answer(ScriptedLLM(script=in_turn(*changed)))
    with pytest.raises(AssertionError, match=r'golden city="Kiel"'):
        second.matches(file)


def test_a_run_that_was_killed_half_way(stored: Run) -> None:
    """It is replayed as far as it went; then the test is told that the recorded run has no more."""
    half = RecordedTrace.from_events(stored.events[: len(stored.events) // 2])
    with pytest.raises(ReplayError, match=r"has no further answer|has no call|ended before"), replay(half) as again:
        answer(again.llm())
    assert RAN == []
