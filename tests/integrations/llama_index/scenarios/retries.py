"""Something fails, and is tried again."""

from __future__ import annotations

import pytest
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

from tests.integrations.llama_index.run import Run, system, user
from tests.integrations.llama_index.scripted import ScriptedLLM, calls
from tests.integrations.scenario import scenario


@scenario(feature="A model call that is tried again", recorded="Both tries, the first with its error", streamed=True)
def of_a_model(run: Run) -> None:
    llm, said = run.llm(ConnectionError("down"), "Here."), [system("Help."), user("Hi")]
    with pytest.raises(ConnectionError):
        run.ask(llm, said)
    run.ask(llm, said)


class AtOnce:
    """A policy: try again at once, three times."""

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None:  # noqa: ARG002  (LlamaIndex's signature)
        return None if attempts > 3 else 0


class Asking(Workflow):
    """A step that fails once."""

    def __init__(self, run: Run, llm: ScriptedLLM) -> None:
        super().__init__()
        self.ran = run
        self.llm = llm

    @step(retry_policy=AtOnce())
    async def ask(self, _: StartEvent) -> StopEvent:
        return StopEvent(result=(await self.ran.aask(self.llm, [system("Help."), user("Hi")])).content)


@scenario(feature="A workflow's step with a retry policy", recorded="Both tries, the first with its error")
def of_a_step(run: Run) -> None:
    async def ask() -> None:
        assert await Asking(run, run.llm(ConnectionError("down"), "Here.")).run() == "Here."

    run.wait(ask())


@scenario(feature="A tool that fails and is called again", recorded="Both calls, and what the model was told", streamed=True)
def of_a_tool(run: Run) -> None:
    left = iter([ConnectionError("down"), None])

    def find(order: str) -> str:
        """Find an order."""
        if (error := next(left)) is not None:
            raise error
        return f"order {order}"

    run.go(run.agent(calls(("find", {"order": "1"})), calls(("find", {"order": "1"})), "Found.", tools=[find]), "Find 1")


@scenario(feature="An agent that is run again after a failure", recorded="Both runs; the question is said twice")
def of_an_agent(run: Run) -> None:
    agent = run.agent(ConnectionError("down"), "Here.", system_prompt="Help.")
    with pytest.raises(Exception, match="down"):
        run.go(agent, "Hi")
    run.go(agent, "Hi")


@scenario(feature="A ReAct agent whose answer can't be read", recorded="What it is told of that, and its next try")
def of_an_unreadable_answer(run: Run) -> None:
    run.go(run.react("Thought: hm.\nAction: ???", "Thought: I can answer.\nAnswer: Fine."), "Hi")


@scenario(feature="Streams that break, and are tried again", recorded="What came, marked as interrupted, and the next try")
def of_a_stream(run: Run) -> None:
    llm, said = run.llm("One two three.", "One two three.", breaks_after=2), [user("Count.")]
    with pytest.raises(ConnectionError):
        list(llm.stream_chat(said))
    llm.breaks_after = None
    assert list(llm.stream_chat(said))
