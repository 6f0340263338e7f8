"""Real runs of LangGraph, with scripted models, that are kept to be looked at in each view."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    HumanInTheLoopMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    ToolRetryMiddleware,
    wrap_tool_call,
)
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import whyops
from tests.integrations.langchain.parts import Scripted, ask, calls
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import capture


def record(name: str) -> list[dict[str, Any]]:
    """Run what has this name, and return the events."""
    with capture(agent_name="shop") as captured, whyops.trace(name):
        globals()[name](WhyOpsCallbackHandler(trace_id=name))
    return [dict(event) for event in captured.events]


def hand_off(handler: Any) -> None:
    """Two agents in a graph: the front desk looks the order up and hands over to billing."""

    def find(order: str) -> str:
        """Find an order."""
        return f"order {order} was lost on its way to Kiel"

    def refund(order: str, amount: float) -> str:
        """Pay back."""
        return f"refunded {amount} for order {order}"

    def to_billing(tool_call_id: Any) -> Any:
        """Hand over to billing."""
        told = ToolMessage("Transferred to billing.", tool_call_id=tool_call_id)
        return Command(goto="billing", graph=Command.PARENT, update={"messages": [told]})

    to_billing.__annotations__["tool_call_id"] = Annotated[str, InjectedToolCallId]
    desk = Scripted(answers=[calls(("find", {"order": "123"})), calls(("to_billing", {}))], model_name="desk-model")
    billing = Scripted(answers=[calls(("refund", {"order": "123", "amount": 12.5})), "You get 12.50 back."], model_name="billing-model")
    graph = StateGraph(MessagesState)
    tools = [tool(find), tool(to_billing)]
    front = create_agent(desk, tools, name="desk", system_prompt="You are the front desk. Refunds are for billing.")
    graph.add_node("desk", front, destinations=("billing",))
    graph.add_node(
        "billing", create_agent(billing, [tool(refund)], name="billing", system_prompt="You are billing. Pay for what was lost.")
    )
    graph.add_edge(START, "desk")
    graph.compile().invoke(ask("Where is order 123? If it is lost, I want my money back."), {"callbacks": [handler]})


def parallel(handler: Any) -> None:
    """Three questions at once, whose answers come in another order, then one that chooses."""
    seconds = {"cats": 0.06, "dogs": 0.04, "owls": 0.02}

    def joke(messages: Any) -> str:
        subject = messages[-1].content.rpartition(" ")[2]
        time.sleep(0.02 + seconds[subject])
        return f"A joke of {subject}."

    def steps(_: Any) -> Any:
        prompts = [[("system", "Be funny."), ("human", f"Tell a joke of {subject}")] for subject in seconds]
        told = Scripted(reply=joke).batch(prompts)
        return Scripted(answers=["The one of owls."]).invoke(f"Which is best? {' '.join(str(each.content) for each in told)}")

    RunnableLambda(steps).with_config(run_name="jokes").invoke(None, {"callbacks": [handler]})


def cancelled(handler: Any) -> None:
    """A tool that is cut off while another has ended, and a model that is cut off in the next turn."""

    async def look(order: str) -> str:
        """Look an order up."""
        return f"order {order} is in Kiel"

    async def call_shop(number: str) -> str:
        """Call a shop."""
        begun.set()
        await asyncio.sleep(30)
        return number

    class Slow(Scripted):
        async def _agenerate(self, *_: Any, **__: Any) -> Any:
            begun.set()
            await asyncio.sleep(30)

    async def cut_off(model: Any, question: str) -> None:
        nonlocal begun
        begun = asyncio.Event()
        agent = create_agent(model, [tool(look), tool(call_shop)], name="desk")
        task = asyncio.create_task(agent.ainvoke(ask(question), {"callbacks": [handler]}))
        await begun.wait()
        await asyncio.sleep(0.1)  # what runs beside it has ended by then
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    begun = asyncio.Event()
    chosen = calls(("look", {"order": "123"}), ("call_shop", {"number": "0431 55"}))
    asyncio.run(cut_off(Scripted(answers=[chosen]), "Where is order 123? Call the shop, too."))
    asyncio.run(cut_off(Slow(), "Then only tell me what you know."))


def resumed(handler: Any) -> None:
    """A tool that asks a human, and goes on when the answer is there."""

    def approve(amount: float) -> str:
        """Ask a human."""
        return f"{interrupt({'question': f'Pay {amount} back?'})} has approved it"

    model = Scripted(answers=[calls(("approve", {"amount": 12.5})), "It is approved: you get 12.50 back."])
    agent = create_agent(model, [tool(approve)], checkpointer=InMemorySaver())
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "resumed"}}
    agent.invoke(ask("I want my money back."), config)
    agent.invoke(Command(resume="Ada"), config)


def tries(handler: Any) -> None:
    """A model that fails twice, one whose place another takes, and a tool that is tried again."""
    failures: list[Exception] = [TimeoutError("no answer in 30 s")]

    def look(order: str) -> str:
        """Look an order up."""
        if failures:
            raise failures.pop()
        return f"order {order} is in Kiel"

    down = [ConnectionError("the line is down") for _ in range(2)]
    waits: Any = {"initial_delay": 0.001, "jitter": False}
    middleware: Any = [ModelRetryMiddleware(max_retries=3, **waits), ToolRetryMiddleware(max_retries=2, **waits)]
    answers = [*down, calls(("look", {"order": "123"})), "It is in Kiel."]
    agent = create_agent(Scripted(answers=answers), [tool(look)], middleware=middleware)
    agent.invoke(ask("Where is order 123?"), {"callbacks": [handler]})
    small = ModelFallbackMiddleware(Scripted(answers=["You are welcome."], model_name="small-model"))
    agent = create_agent(Scripted(answers=[TimeoutError("too slow")], model_name="big-model"), [], middleware=[small])
    agent.invoke(ask("Thanks!"), {"callbacks": [handler]})


def reviewed(handler: Any) -> None:
    """A human changes one call and rejects another; a third is of no tool, and a middleware tells the model something else."""

    def weather(city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    def book(hotel: str) -> str:
        """Book a room."""
        return f"a room in {hotel}"

    def price(hotel: str) -> str:
        """Tell the price."""
        return f"{hotel}: 120 a night, staff code 7788"

    def without_codes(request: Any, handler: Any) -> Any:
        told = handler(request)
        if request.tool_call["name"] != "price":
            return told
        return ToolMessage("120 a night (the rest is not for you)", tool_call_id=request.tool_call["id"], name="price")

    chosen = calls(("weather", {"city": "Lübeck"}), ("book", {"hotel": "Ritz"}), ("price", {"hotel": "Ritz"}), ("fly", {"to": "Kiel"}))
    decisions = [
        {"type": "edit", "edited_action": {"name": "weather", "args": {"city": "Kiel"}}},
        {"type": "reject", "message": "Too expensive."},
    ]
    human = HumanInTheLoopMiddleware(interrupt_on={"weather": True, "book": True})
    middleware: Any = [human, wrap_tool_call(without_codes)]
    model = Scripted(answers=[chosen, "It is sunny in Kiel. I booked nothing."])
    agent = create_agent(model, [tool(weather), tool(book), tool(price)], middleware=middleware, checkpointer=InMemorySaver())
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "reviewed"}}
    agent.invoke(ask("How is the weather in Lübeck? Book a room."), config)
    agent.invoke(Command(resume={"decisions": decisions}), config)
