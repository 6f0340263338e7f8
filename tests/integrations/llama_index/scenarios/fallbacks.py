"""A model fails, and another one is asked."""

from __future__ import annotations

import pytest
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step

from tests.integrations.llama_index.run import Run, system, user
from tests.integrations.llama_index.scripted import ScriptedLLM
from tests.integrations.scenario import scenario


@scenario(feature="A fallback to another model", recorded="Both, the first with its error", streamed=True)
def by_hand(run: Run) -> None:
    first, second = run.llm(ConnectionError("down"), model="big"), run.llm("Here.", model="small")
    said = [system("Help."), user("Hi")]
    with pytest.raises(ConnectionError):
        run.ask(first, said)
    said.append(run.ask(second, said))
    run.ask(second, [*said, user("Thanks")])


@scenario(feature="A fallback in the middle of a stream", recorded="What came of the first, and the second's answer")
def in_the_middle(run: Run) -> None:
    first, second = run.llm("One two three.", model="big", breaks_after=1), run.llm("One two three.", model="small")
    with pytest.raises(ConnectionError):
        list(first.stream_chat([user("Count.")]))
    assert list(second.stream_chat([user("Count.")]))


class Failed(Event):
    """The first has failed."""


class Careful(Workflow):
    """Asks another one where the first fails."""

    def __init__(self, run: Run, first: ScriptedLLM, second: ScriptedLLM) -> None:
        super().__init__()
        self.ran, self.first, self.second = run, first, second

    @step
    async def ask(self, _: StartEvent) -> Failed | StopEvent:
        try:
            return StopEvent(result=(await self.ran.aask(self.first, [user("Hi")])).content)
        except ConnectionError:
            return Failed()

    @step
    async def ask_another(self, _: Failed) -> StopEvent:
        return StopEvent(result=(await self.ran.aask(self.second, [system("You stand in."), user("Hi")])).content)


@scenario(feature="A fallback in a workflow", recorded="Both, each with its step")
def in_a_workflow(run: Run) -> None:
    async def ask() -> None:
        assert await Careful(run, run.llm(ConnectionError("down")), run.llm("Here.")).run() == "Here."

    run.wait(ask())


@scenario(feature="A fallback from an agent to another", recorded="Both runs, each by its agent")
def of_an_agent(run: Run) -> None:
    with pytest.raises(Exception, match="down"):
        run.go(run.agent(ConnectionError("down"), name="first", system_prompt="Help."), "Hi")
    run.go(run.agent("Here.", name="second", system_prompt="Help."), "Hi")
