"""A run goes on elsewhere: what was recorded by another client is not known to this one."""

from __future__ import annotations

import json

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent

from tests.integrations.llama_index.run import Run, buffer, system, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

WHOLE = "The whole prompt again, in the same trace"


@scenario(feature="An agent's `Context` resumed elsewhere", recorded=WHOLE, streamed=True, repeats=True, needs="pydantic<2.14")
def an_agent(run: Run) -> None:
    async def talk(text: str, held: dict | None) -> dict:
        agent = run.agent(f"I heard {text}", system_prompt="Be kind.")
        ctx = Context(agent) if held is None else Context.from_dict(agent, held)
        await agent.run(text, ctx=ctx)
        return ctx.to_dict()

    held = json.dumps(run.wait(talk("Hi", None)))
    run.restart()
    run.wait(talk("Still there?", json.loads(held)))


@scenario(feature="An `AgentWorkflow` resumed elsewhere", recorded=WHOLE, streamed=True, repeats=True, needs="pydantic<2.14")
def a_workflow(run: Run) -> None:
    async def talk(text: str, held: dict | None) -> dict:
        flow = AgentWorkflow(agents=[run.agent(name="clerk", description="A clerk.", system_prompt="Be kind.")], root_agent="clerk")
        ctx = Context(flow) if held is None else Context.from_dict(flow, held)
        await flow.run(text, ctx=ctx)
        return ctx.to_dict()

    held = run.wait(talk("Hi", None))
    run.restart()
    run.wait(talk("Still there?", held))


@scenario(feature="A stored memory in a new client", recorded=WHOLE, streamed=True, repeats=True, needs="pydantic<2.14")
def a_memory(run: Run) -> None:
    memory = buffer()
    run.go(run.agent(system_prompt="Be kind."), "Hi", memory=memory)
    stored = memory.to_string()
    run.restart()
    run.go(run.agent(system_prompt="Be kind."), "Still there?", memory=ChatMemoryBuffer.from_string(stored))


@scenario(feature="An agent with a history that was stored", recorded=WHOLE, streamed=True, repeats=True)
def an_agents_history(run: Run) -> None:
    async def talk(text: str, said: list[ChatMessage]) -> list[ChatMessage]:
        memory = buffer()
        await run.agent(system_prompt="Be kind.").run(text, chat_history=said, memory=memory)
        return memory.get_all()

    stored = [(message.role, message.content) for message in run.wait(talk("Hi", []))]
    run.restart()
    run.wait(talk("Still there?", [ChatMessage(role=role, content=content) for role, content in stored]))


@scenario(feature="A chat engine with a history that was stored", recorded=WHOLE, streamed=True, repeats=True)
def a_chat_engines_history(run: Run) -> None:
    stored: list[ChatMessage] = []
    for text in ("Hi", "Still there?"):
        engine = SimpleChatEngine.from_defaults(llm=run.llm(), chat_history=stored, memory=buffer(), system_prompt="Be kind.")
        engine._memory.set(stored)
        run.talk(engine, text)
        stored = [ChatMessage(role=message.role, content=message.content) for message in engine.chat_history]
        run.restart()


@scenario(feature="A history that ends in a tool's result", recorded=WHOLE, streamed=True, repeats=True)
def a_history(run: Run) -> None:
    def find(order: str) -> str:
        """Find an order."""
        return f"order {order} has shipped"

    run.go(run.agent(calls(("find", {"order": "1"})), "It has.", tools=[find], system_prompt="Help."), "Where is it?")
    run.restart()
    told = ChatMessage(role="tool", content="order 1 has shipped", additional_kwargs={"tool_call_id": "call-0"})
    run.ask(run.llm(), [system("Help."), user("Where is it?"), calls(("find", {"order": "1"})), told])


@scenario(
    feature="A human's answer, given elsewhere",
    recorded="Question and words, and the prompts before and after",
    streamed=True,
    repeats=True,
    needs="pydantic<2.14",
)
def a_question(run: Run) -> None:
    async def drop(ctx: Context, table: str) -> str:
        """Drop a table."""
        asked = InputRequiredEvent(prefix=f"Really drop {table}?")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_id="q", waiter_event=asked)
        return f"told: {answer.response}"

    drop.__annotations__["ctx"] = Context

    async def ask() -> dict:
        handler = run.agent(calls(("drop", {"table": "users"})), tools=[drop]).run("Drop users")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                break
        held = handler.ctx.to_dict()
        await handler.cancel_run()
        return held

    async def answer(held: dict) -> None:
        agent = run.agent("Kept.", tools=[drop])
        handler = agent.run(ctx=Context.from_dict(agent, held))
        handler.ctx.send_event(HumanResponseEvent(response="no"))
        await handler

    held = run.wait(ask())
    run.restart()
    run.wait(answer(held))
