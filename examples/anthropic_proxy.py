"""Anthropic through the WhyOps proxy: the model calls are recorded there, the tool calls here, all in one trace.

Needs `pip install anthropic`. A scripted server stands in for the proxy and the service, so that this runs without a key and without a
network. With an account, leave out the two URLs. Before the model's name stands the slug of its provider: the proxy needs it as soon as
an account has two providers.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from anthropic import AsyncAnthropic
from scripted.proxy import ScriptedProxy

import whyops


@whyops.tool
async def find_order(order_id: str) -> dict[str, str]:
    """Look an order up by its number."""
    return {"id": order_id, "status": "out for delivery"}


FIND_ORDER: Any = {
    "name": "find_order",
    "description": "Look an order up by its number.",
    "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
}


async def answer(client: AsyncAnthropic, question: str) -> str:
    """Ask the model, and call the tool as often as it wants."""
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        message = await client.messages.create(model="anthropic/claude-haiku-5-5", max_tokens=500, messages=messages, tools=[FIND_ORDER])
        results = []
        for block in message.content:
            if block.type == "text":
                return block.text
            if block.type == "tool_use":
                arguments: Any = block.input
                result = await find_order(**arguments)
                results.append({"type": "tool_result", "tool_use_id": block.id, "content": json.dumps(result)})
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]


async def serve(client: AsyncAnthropic, customer: str, question: str) -> None:
    """Answer one customer's question in a trace of its own."""
    async with whyops.trace(f"support-{customer}-{uuid.uuid4()}", external_user_id=customer):
        print(f"{customer}:", await answer(client, question))


async def main() -> None:
    """Serve two customers at the same time over one client, and print what arrived at the proxy and at the service."""
    with ScriptedProxy() as server:
        sdk = whyops.configure("whyops_example", "shop-support", proxy_base_url=server.url, analyse_base_url=f"{server.url}/api")
        async with sdk.anthropic(AsyncAnthropic(api_key="stays at home")) as client:
            await asyncio.gather(serve(client, "mia", "Where is order 1007?"), serve(client, "jonas", "Where is order 1011?"))
        await sdk.close()
    print("\nWhat arrived:", *sorted(server.seen, key=lambda line: line.split()[1]), sep="\n  ")


if __name__ == "__main__":
    asyncio.run(main())
