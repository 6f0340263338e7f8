"""A shop's support agent, recorded. Run it, then look at it with `whyops list` and `whyops show last`.

The tools are real functions on the orders in data/orders.json. Only the model is scripted: it makes the decisions a model made once, so
that this runs without a key and without a network.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import whyops

Order = dict[str, Any]

ORDERS: dict[str, Order] = {order["id"]: order for order in json.loads((Path(__file__).parent / "data" / "orders.json").read_text("utf-8"))}


# The tools: one line above each, and its calls are recorded.


class RefundRefusedError(Exception):
    """The shop's rules don't allow this refund."""


@whyops.tool
def find_order(order_id: str) -> Order:
    """Look an order up by its number."""
    return ORDERS[order_id]


@whyops.tool
def orders_of(customer: str) -> list[dict[str, Any]]:
    """List a customer's orders."""
    return [
        {"id": order["id"], "status": order["status"], "items": [item["name"] for item in order["items"]]}
        for order in ORDERS.values()
        if order["customer"] == customer
    ]


@whyops.tool
async def track_parcel(order_id: str) -> dict[str, str]:
    """Tell where a parcel was last seen."""
    order = await asyncio.to_thread(find_order, order_id)
    return order["scans"][-1] if order["scans"] else {"event": "not handed to the carrier yet"}


@whyops.tool
def refund(order_id: str, reason: str) -> dict[str, Any]:
    """Pay an order's price back, once it is delivered."""
    order = find_order(order_id)
    if order["status"] != "delivered":
        message = f"Order {order_id} is {order['status']}: only what was delivered can be refunded."
        raise RefundRefusedError(message)
    return {"refunded_cents": sum(item["quantity"] * item["price_cents"] for item in order["items"]), "reason": reason}


TOOLS: dict[str, Callable[..., Any]] = {tool.__name__: tool for tool in (find_order, orders_of, track_parcel, refund)}


# The agent: ask the model, do what it decides, until it has an answer.


async def answer(customer: str, question: str, model: ScriptedModel) -> str:
    """Answer one customer's question. All that happens in the block is one trace."""
    # On the WhyOps service trace ids are shared by all accounts, so they must be ones that nobody else has.
    async with whyops.trace(f"support-{uuid.uuid4()}", external_user_id=customer) as trace:
        messages: list[whyops.MessageItem] = [
            {"role": "system", "content": f"You help {customer}, a customer of a small shop."},
            {"role": "user", "content": question},
        ]
        await trace.user_message(messages)
        while True:
            started = time.perf_counter()
            decision = await model.decide(messages)
            latency_ms = (time.perf_counter() - started) * 1000
            if decision.thinking:
                await trace.llm_thinking(decision.thinking)
            await trace.llm_response(
                model.name,
                "scripted",
                decision.text,
                tool_calls=[{"function": {"name": decision.tool, "arguments": json.dumps(decision.arguments)}}] if decision.tool else None,
                finish_reason="tool_calls" if decision.tool else "stop",
                usage=decision.usage,
                latency_ms=latency_ms,
            )
            if not decision.tool:
                return decision.text
            messages.append({"role": "tool", "content": await run_tool(decision)})


async def run_tool(decision: Decision) -> str:
    """Call the tool that the model chose. A failure goes back to the model, which may know another way."""
    try:
        result = TOOLS[decision.tool](**decision.arguments)
        if inspect.isawaitable(result):
            result = await result
        return json.dumps(result)
    except RefundRefusedError as error:
        return str(error)


# The model: scripted. With a real one, `decide` would be a call to its API; nothing else would change.


@dataclass
class Decision:
    """What a model decides next: to call a tool, or to answer."""

    text: str = ""
    thinking: str = ""
    tool: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    usage: whyops.TokenUsage | None = None


class ScriptedModel:
    """Stands in for a model: makes the decisions it was given, one after the other."""

    name = "scripted-1"

    def __init__(self, *decisions: Decision) -> None:
        self._decisions: Iterator[Decision] = iter(decisions)

    async def decide(self, messages: list[whyops.MessageItem]) -> Decision:
        """Return the next decision, with token counts estimated at four characters a token."""
        await asyncio.sleep(0.05)
        decision = next(self._decisions)
        prompt_tokens = len(json.dumps(messages)) // 4
        completion_tokens = (len(decision.text + decision.thinking + decision.tool) + len(json.dumps(decision.arguments))) // 4
        total_tokens = prompt_tokens + completion_tokens
        decision.usage = {"promptTokens": prompt_tokens, "completionTokens": completion_tokens, "totalTokens": total_tokens}
        return decision


async def main() -> None:
    """Serve two customers. The first is simple; for the second, the agent has to think again."""
    whyops.configure(agent_name="shop-support")

    question = "Where is my tea set?"
    model = ScriptedModel(
        Decision(tool="orders_of", arguments={"customer": "mia"}),
        Decision(tool="track_parcel", arguments={"order_id": "1007"}),
        Decision(text="Your tea set is out for delivery in Lübeck: it should be with you today."),
    )
    print("mia:  ", question)
    print("agent:", await answer("mia", question, model), "\n")

    question = "My lamp came with a broken shade. I want my money back. I think it was order 1011."
    model = ScriptedModel(
        Decision(tool="refund", arguments={"order_id": "1011", "reason": "broken shade"}),
        Decision(
            thinking="Order 1011 is still on its way, so it can't be the lamp that came broken. Jonas may have ordered another one.",
            tool="orders_of",
            arguments={"customer": "jonas"},
        ),
        Decision(
            thinking="Order 1002 is a desk lamp, and it was delivered. That must be the one.",
            tool="refund",
            arguments={"order_id": "1002", "reason": "broken shade"},
        ),
        Decision(text="The broken lamp was in order 1002. I have refunded its 57.70 EUR; order 1011 is still on its way to you."),
    )
    print("jonas:", question)
    print("agent:", await answer("jonas", question, model), "\n")

    print("Both conversations are recorded. Look at them with")
    print("  whyops list")
    print("  whyops show last")


if __name__ == "__main__":
    asyncio.run(main())
