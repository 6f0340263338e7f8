"""Workflows of the application's own: the prompts of their steps."""

from __future__ import annotations

from llama_index.core.workflow import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

from tests.integrations.llama_index.run import Run, system, user
from tests.integrations.llama_index.scripted import ScriptedLLM, calls
from tests.integrations.scenario import scenario


class Draft(Event):
    """What was written so far."""

    text: str


class Writing(Workflow):
    """Writes, then corrects until it is content."""

    def __init__(self, run: Run, llm: ScriptedLLM) -> None:
        super().__init__()
        self.ran, self.llm = run, llm

    @step
    async def write(self, ev: StartEvent) -> Draft:
        answer = await self.ran.aask(self.llm, [system("Write."), user(ev.about)])
        return Draft(text=answer.content or "")

    @step
    async def correct(self, ev: Draft) -> Draft | StopEvent:
        answer = await self.ran.aask(self.llm, [system("Correct."), user(ev.text)])
        return StopEvent(result=ev.text) if answer.content == "Fine." else Draft(text=answer.content or "")


@scenario(feature="A workflow with model calls", recorded="Start, result, and each step's prompt", streamed=True)
def with_models(run: Run) -> None:
    async def write() -> None:
        assert await Writing(run, run.llm("A cet.", "A cat.", "Fine.")).run(about="cats") == "A cat."

    run.wait(write())


class Outer(Workflow):
    """Starts another one."""

    def __init__(self, inner: Writing) -> None:
        super().__init__()
        self.inner = inner

    @step
    async def begin(self, _: StartEvent) -> StopEvent:
        return StopEvent(result=str(await self.inner.run(about="dogs")))


@scenario(feature="A workflow in a workflow", recorded="The inner one inside the outer, with its prompts")
def nested(run: Run) -> None:
    async def write() -> None:
        assert await Outer(Writing(run, run.llm("A dog.", "Fine."))).run() == "A dog."

    run.wait(write())


class Asking(Workflow):
    """Asks a human first."""

    def __init__(self, run: Run, llm: ScriptedLLM) -> None:
        super().__init__()
        self.ran, self.llm = run, llm

    @step
    async def ask(self, _: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which animal?")

    @step
    async def answer(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=(await self.ran.aask(self.llm, [user(f"About {ev.response}")])).content)


@scenario(feature="A human in the loop", recorded="The question, the human's words, and the prompt with them")
def with_a_human(run: Run) -> None:
    async def ask() -> None:
        handler = Asking(run, run.llm("They bark.")).run()
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="dogs"))
        assert await handler == "They bark."

    run.wait(ask())


@scenario(feature="A tool that asks a human", recorded="The question, the human's words, and the prompts around them")
def with_a_human_in_a_tool(run: Run) -> None:
    async def drop(ctx: Context, table: str) -> str:
        """Drop a table."""
        asked = InputRequiredEvent(prefix=f"Really drop {table}?")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_id="q", waiter_event=asked)
        return f"told: {answer.response}"

    drop.__annotations__["ctx"] = Context

    async def ask() -> None:
        handler = run.agent(calls(("drop", {"table": "users"})), "Kept.", tools=[drop]).run("Drop users")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="no"))
        await handler

    run.wait(ask())
