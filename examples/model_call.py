"""A provider's own client, without a framework and without a proxy: each model call is timed and recorded, the last one as it streams.

Needs `pip install openai`. A scripted server stands in for the provider, so that this runs without a key and without a network; with an
account of yours, leave out the client's URL. `call.answer` and `call.stream` take the objects of Anthropic and Google as well.
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


def choose(trace: whyops.Trace, client: OpenAI, messages: list[Any]) -> Any:
    """Ask the model which tools to call, and return its message."""
    with trace.model_call(MODEL, "openai", messages, tools=[FIND_ORDER]) as call:
        response = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])
        call.answer(response)
    return response.choices[0].message


def tell(trace: whyops.Trace, client: OpenAI, messages: list[Any]) -> None:
    """Print what the model says, as it comes."""
    with trace.model_call(MODEL, "openai", messages, params={"temperature": 0}) as call:
        options: Any = {"include_usage": True}
        stream = client.chat.completions.create(model=MODEL, messages=messages, temperature=0, stream=True, stream_options=options)
        for chunk in call.stream(stream):
            for choice in chunk.choices:
                print(choice.delta.content or "", end="")
    print()


def main() -> None:
    """Answer one question."""
    messages: list[Any] = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Where is order 1007?"}]
    with (
        ScriptedProvider() as provider,
        OpenAI(api_key="stays here", base_url=provider.url) as client,
        whyops.trace(external_user_id="mia") as trace,
    ):
        message = choose(trace, client, messages)
        messages.append(message)
        for wanted in message.tool_calls:
            result = find_order(**json.loads(wanted.function.arguments))
            messages.append({"role": "tool", "tool_call_id": wanted.id, "content": json.dumps(result, ensure_ascii=False)})
        tell(trace, client, messages)
    print("\nSee all of it: whyops show last")


if __name__ == "__main__":
    main()
