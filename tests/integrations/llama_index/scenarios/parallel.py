"""Several things at the same time: answers come in another order than questions."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

import whyops
from tests.integrations.llama_index.run import Run, system, user
from tests.integrations.llama_index.scripted import ScriptedLLM, calls
from tests.integrations.scenario import scenario


@scenario(feature="Parallel model calls (`asyncio.gather`)", recorded="Each question with its own answer", streamed=True)
def gathered(run: Run) -> None:
    llm = run.llm()

    async def ask() -> None:
        await asyncio.gather(*(run.aask(llm, [system("Review."), user(f"File {number}")]) for number in range(4)))

    run.wait(ask())


@scenario(feature="Parallel model calls with the same question", recorded="Each of them", streamed=True)
def the_same(run: Run) -> None:
    llm, said = run.llm(), [system("Vote."), user("Yes or no?")]

    async def ask() -> None:
        await asyncio.gather(*(run.aask(llm, said) for _ in range(3)))

    run.wait(ask())


@scenario(feature="Model calls in threads", recorded="Each question with its own answer", streamed=True)
def in_threads(run: Run) -> None:
    llm = run.llm()
    with ThreadPoolExecutor(1) as pool:
        ask = whyops.bind_context(lambda number: run.ask(llm, [user(f"File {number}")]))
        list(pool.map(ask, range(3)))
        asked = [pool.submit(contextvars.copy_context().run, run.ask, llm, [user(f"Page {number}")]) for number in range(3)]
    assert all(each.result().content for each in asked)


class File(Event):
    """What one worker is to do."""

    number: int


class Verdict(Event):
    """What came of it."""

    text: str


class Review(Workflow):
    """Three files at the same time, the last of which is done first."""

    def __init__(self, run: Run, llm: ScriptedLLM) -> None:
        super().__init__()
        self.ran = run
        self.llm = llm

    @step
    async def fan_out(self, ctx: Context, _: StartEvent) -> File | None:
        for number in range(3):
            ctx.send_event(File(number=number))
        return None

    @step(num_workers=3)
    async def review(self, ev: File) -> Verdict:
        answer = await self.ran.aask(self.llm, [system("Review."), user(f"File {ev.number}")])
        for _ in range(9 - 3 * ev.number):
            await asyncio.sleep(0)
        return Verdict(text=answer.content or "")

    @step
    async def join(self, ctx: Context, ev: Verdict) -> StopEvent | None:
        verdicts = ctx.collect_events(ev, [Verdict] * 3)
        if not verdicts:
            return None
        said = [system("Summarise."), *(user(verdict.text) for verdict in verdicts)]
        return StopEvent(result=(await self.ran.aask(self.llm, said)).content)


@scenario(feature="Parallel steps of a workflow", recorded="Each step's prompt with its answer", streamed=True)
def steps(run: Run) -> None:
    async def review() -> None:
        assert (await Review(run, run.llm()).run()) == "Answer 4."

    run.wait(review())


@scenario(feature="Parallel tool calls", recorded="Each result, tied to its call by its id")
def tools(run: Run) -> None:
    done = asyncio.Event()

    async def slow(order: str) -> str:
        """Look an order up."""
        await done.wait()
        return f"order {order} has shipped"

    async def quick(order: str) -> str:
        """Look an order up."""
        done.set()
        return f"order {order} is here"

    run.go(run.agent(calls(("slow", {"order": "1"}), ("quick", {"order": "2"})), "One of them.", tools=[slow, quick]), "Which?")


@scenario(feature="Two agents at the same time", recorded="Each one's prompts, by agent")
def agents(run: Run) -> None:
    both = [run.agent(f"I am {name}.", name=name, system_prompt=f"You are {name}.") for name in ("ada", "bob")]

    async def talk() -> None:
        await asyncio.gather(*(agent.run(f"Hello, {agent.name}") for agent in both))

    run.wait(talk())
