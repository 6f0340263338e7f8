"""OpenAI's client, recorded where it speaks to OpenAI itself: no key of WhyOps is needed, and each request goes out as it would without.

Needs `pip install openai`. A scripted server stands in for the provider, so that this runs without a key and without a network; with an
account of yours, leave out the client's URL. `sdk.anthropic(Anthropic())` does the same. Without a key of
WhyOps, `via="direct"` need not be said.
"""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI
from scripted.provider import ScriptedProvider

import whyops

MODEL = "gpt-4o-mini"
FIND_ORDER: Any = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look an order up by its number.",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
    },
}


@whyops.tool
def find_order(order_id: str) -> dict[str, str]:
    """Look an order up by its number."""
    return {"id": order_id, "status": "out for delivery in Lübeck"}


def answer(client: OpenAI, messages: list[Any]) -> None:
    """Let the model call the tool, and print what it says as it comes."""
    message = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER]).choices[0].message
    messages.append(message)
    for call in message.tool_calls or ():
        if call.type == "function":
            result = find_order(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result, ensure_ascii=False)})
    with client.chat.completions.stream(model=MODEL, messages=messages, stream_options={"include_usage": True}) as stream:
        for event in stream:
            if event.type == "content.delta":
                print(event.delta, end="")
    print()


def main() -> None:
    """Answer one question."""
    sdk = whyops.configure(agent_name="shop-support")
    with (
        ScriptedProvider() as provider,
        sdk.openai(OpenAI(api_key="stays here", base_url=provider.url), via="direct") as client,
        whyops.trace(external_user_id="mia"),
    ):
        answer(client, [{"role": "system", "content": "Help."}, {"role": "user", "content": "Where is order 1007?"}])
    print("\nSee all of it: whyops show last")


if __name__ == "__main__":
    main()
