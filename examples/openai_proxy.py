"""OpenAI through the WhyOps proxy: the model calls are recorded there, the tool calls here, all in one trace.

Needs `pip install openai`. A scripted server stands in for the proxy and the service, so that this runs without a key and without a
network. With an account, leave out the two URLs. Before the model's name stands the slug of its provider: the proxy needs it as soon as
an account has two providers.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from openai import OpenAI
from scripted.proxy import ScriptedProxy

import whyops


@whyops.tool
def find_order(order_id: str) -> dict[str, str]:
    """Look an order up by its number."""
    return {"id": order_id, "status": "out for delivery"}


FIND_ORDER: Any = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look an order up by its number.",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
    },
}


def answer(client: OpenAI, question: str) -> str:
    """Ask the model, and call the tool as often as it wants."""
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        message = client.chat.completions.create(model="openai/gpt-4o-mini", messages=messages, tools=[FIND_ORDER]).choices[0].message
        if not message.tool_calls:
            return whyops.strip_signature(message.content or "")
        messages.append(message)
        for call in message.tool_calls:
            if call.type == "function":
                # The proxy adds an argument that names the trace; @whyops.tool takes it out again.
                result = find_order(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})


def main() -> None:
    """Answer one question, and print what arrived at the proxy and at the service."""
    with ScriptedProxy() as server:
        sdk = whyops.configure("whyops_example", "shop-support", proxy_base_url=server.url, analyse_base_url=f"{server.url}/api")
        client = sdk.openai(OpenAI(api_key="stays at home"))
        with whyops.trace(f"support-{uuid.uuid4()}", external_user_id="mia"):
            print(answer(client, "Where is order 1007?"))
        sdk.close_sync()
        client.close()
    print("\nWhat arrived:", *server.seen, sep="\n  ")


if __name__ == "__main__":
    main()
