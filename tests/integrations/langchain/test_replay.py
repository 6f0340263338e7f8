"""Replays of LangChain's agents: its tools give back what they gave, its models answer as they did, and the run is the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException, tool
from langgraph.types import Command

import whyops
from tests.integrations.langchain.parts import Scripted
from whyops._testing import golden
from whyops._trace.recorded import RecordedTrace
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import ReplayError, Run, record, replay

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@tool
def where_is(order_id: str, level: int = 0) -> dict[str, str]:
    """Find an order."""
    RAN.append("where_is")
    return {"city": "Kiel" if order_id == "123" else "Lübeck"}


def _weather(city: str) -> tuple[str, dict[str, int]]:
    RAN.append("weather")
    return f"rain in {city}", {"degrees": 9}


weather = StructuredTool.from_function(_weather, name="weather", description="Tell the weather.", response_format="content_and_artifact")


@tool
def broken(reason: str) -> str:
    """Fail."""
    RAN.append("broken")
    raise ToolException(f"broken: {reason}")


broken.handle_tool_error = True


@tool
def crash() -> str:
    """Crash."""
    RAN.append("crash")
    raise TimeoutError("too slow")


@whyops.tool
def plain_function(order_id: str) -> str:
    """Look up."""
    RAN.append("plain_function")
    return order_id * 2


class OwnTool(BaseTool):
    name: str = "own"
    description: str = "A class of the application's own."

    def _run(self, text: str) -> str:
        RAN.append("own")
        return text.upper()


TOOLS = [where_is, weather, broken, StructuredTool.from_function(plain_function), OwnTool()]


def asks(*calls: tuple[str, dict[str, object]]) -> AIMessage:
    return AIMessage("", tool_calls=[{"id": f"c{place}", "name": name, "args": args} for place, (name, args) in enumerate(calls)])


def script() -> list[object]:
    return [
        asks(("where_is", {"order_id": "123"}), ("where_is", {"order_id": "7", "level": 2})),
        asks(("weather", {"city": "Kiel"}), ("broken", {"reason": "rain"})),
        asks(("plain_function", {"order_id": "9"}), ("own", {"text": "abc"})),
        "It rains in Kiel.",
    ]


def told(model: object) -> list[str]:
    """Run the agent, and return what it said and was told."""
    agent = create_agent(model, TOOLS)  # type: ignore[arg-type]
    state = agent.invoke({"messages": [("user", "Where is order 123?")]}, {"callbacks": [WhyOpsCallbackHandler()]})
    return [str(message.content) for message in state["messages"]]


@pytest.fixture
def stored() -> tuple[Run, list[str]]:
    with record() as run, whyops.trace("stored"):
        said = told(Scripted(answers=script()))
    assert set(RAN) == {"where_is", "weather", "broken", "plain_function", "own"}
    RAN.clear()
    return run, said


def test_an_agents_tools(stored: tuple[Run, list[str]]) -> None:
    """Of each kind: none runs, each gives what it gave, and the new run decided the same."""
    run, said = stored
    with replay(run) as again, record() as second, whyops.trace("again"):
        assert told(Scripted(answers=script())) == said
    assert RAN == []
    assert again.unused == []
    assert second.is_like(run)


def test_an_agents_model(stored: tuple[Run, list[str]]) -> None:
    """With the recorded answers the whole run is made again, with no model and no tool."""
    run, said = stored
    with replay(run) as again, record() as second, whyops.trace("again"):
        assert told(again.chat_model()) == said
    assert RAN == []
    assert second.is_like(run)
    assert [call.answer for call in second.model_calls] == [None, None, None, "It rains in Kiel."]


def test_another_decision(stored: tuple[Run, list[str]]) -> None:
    """A call that the recorded run does not have is an error, also where the agent's graph handles it."""
    run, _ = stored
    with pytest.raises(ReplayError, match=r'has no call where_is\(order_id="999"\)'), replay(run):
        told(Scripted(answers=[asks(("where_is", {"order_id": "999"})), "Done."]))
    assert RAN == []


def test_no_answer_left(stored: tuple[Run, list[str]]) -> None:
    """A model that is asked more often than in the recorded run is an error."""
    run, _ = stored
    with pytest.raises(ReplayError, match="has no further answer"), replay(run) as again:
        again.chat_model().batch(["Hi"] * 5)


def test_async_and_errors() -> None:
    """An exception is raised again, of the same class; async tools too."""

    def ask() -> None:
        with pytest.raises(TimeoutError, match="too slow"):
            asyncio.run(crash.ainvoke({}, {"callbacks": [WhyOpsCallbackHandler()]}))

    with record() as run, whyops.trace("stored"):
        ask()
    assert RAN == ["crash"]
    with replay(run), record() as second, whyops.trace("again"):
        ask()
    assert RAN == ["crash"]
    assert second.is_like(run)


def test_a_command_can_not_be_given_back() -> None:
    """Of its update the names alone are recorded: the test has to give it."""

    @tool
    def hand_over(tool_call_id: str) -> object:
        """Hand over."""
        return Command(goto="billing", update={"note": "x", "messages": [ToolMessage("ok", tool_call_id=tool_call_id)]})

    def ask() -> object:
        return hand_over.invoke({"tool_call_id": "c1"}, {"callbacks": [WhyOpsCallbackHandler()]})

    with record() as run, whyops.trace("stored"):
        ask()
    with pytest.raises(ReplayError, match="gave a Command"), replay(run):
        ask()
    with replay(run, results={"hand_over": Command(goto="other")}):
        assert ask() == Command(goto="other")


def test_afterwards_they_run(stored: tuple[Run, list[str]]) -> None:
    """What was replaced is put back."""
    run, _ = stored
    before = BaseTool.run, BaseTool.arun
    with replay(run):
        assert BaseTool.run is not before[0]
    assert (BaseTool.run, BaseTool.arun) == before
    where_is.invoke({"order_id": "123"})
    assert RAN == ["where_is"]


def test_a_golden_run(stored: tuple[Run, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that decides the same matches its golden run; one that was changed is caught, and shown where it parts."""
    run, _ = stored
    file = tmp_path / "golden.json"
    with monkeypatch.context() as patch:
        patch.setattr(golden, "update", True)
        run.matches(file)
    with record() as second, whyops.trace():
        told(Scripted(answers=script()))
    second.matches(file)
    changed = script()
    changed[1] = asks(("weather", {"city": "Lübeck"}), ("broken", {"reason": "rain"}))
    with record() as third, whyops.trace():
        told(Scripted(answers=changed))
    with pytest.raises(AssertionError) as failed:
        third.matches(file)
    assert 'golden city="Kiel"' in str(failed.value)
    assert 'now    city="Lübeck"' in str(failed.value)
    run.calls("where_is").times(2).with_arguments(order_id="123").before("weather")
    run.called_only("where_is", "weather", "broken", "plain_function", "own").prompt_contained("Where is order 123?")


def test_a_run_that_was_killed_half_way(stored: tuple[Run, list[str]]) -> None:
    """It is replayed as far as it went; then the agent is told that the recorded run has no more, and so is the test."""
    run, _ = stored
    half = RecordedTrace.from_events(run.events[: len(run.events) // 2])
    assert 0 < len(half.calls) < len(run.calls())
    with pytest.raises(ReplayError, match=r"has no further answer|has no call|ended before"), replay(half) as again:
        told(again.chat_model())
    assert RAN == []
    assert again.unused == []
