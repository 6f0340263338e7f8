"""An agent that makes OpenTelemetry spans by the GenAI conventions, as most frameworks do by themselves, recorded by one line.

Needs `pip install 'whyops[opentelemetry]' openai`. A scripted server stands in for the provider, so that this runs without a key and
without a network. With a framework that makes the spans (docs/opentelemetry.md), the functions `ask` and `use` are its own.
"""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from scripted.provider import ScriptedProvider

import whyops
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor

MODEL = "gpt-4o-mini"
FIND_ORDER: Any = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look an order up by its number.",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
    },
}

provider = TracerProvider()
provider.add_span_processor(WhyOpsSpanProcessor())  # the line; exporters to other backends go on beside it
tracer = provider.get_tracer("shop")


@whyops.tool
def find_order(order_id: str) -> dict[str, str]:
    """Look an order up by its number. The span around it is the same call, and it is recorded once."""
    return {"id": order_id, "status": "out for delivery in Lübeck"}


def in_conventions(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of the chat API as the conventions write it."""
    if message["role"] == "tool":
        result = {"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}
        return {"role": "tool", "parts": [result]}
    parts: list[dict[str, Any]] = [{"type": "text", "content": message["content"]}] if message.get("content") else []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append({"type": "tool_call", "id": call["id"], "name": function["name"], "arguments": json.loads(function["arguments"])})
    return {"role": message["role"], "parts": parts}


def ask(client: OpenAI, messages: list[Any]) -> dict[str, Any]:
    """Ask the model, in a span, and return its message."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.input.messages": json.dumps([in_conventions(message) for message in messages]),
        "gen_ai.tool.definitions": json.dumps([FIND_ORDER]),
    }
    with tracer.start_as_current_span(f"chat {MODEL}", attributes=attributes) as span:
        response = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])
        message: dict[str, Any] = response.choices[0].message.model_dump(exclude_none=True)
        span.set_attribute("gen_ai.output.messages", json.dumps([in_conventions(message)]))
        if response.usage is not None:
            span.set_attribute("gen_ai.usage.input_tokens", response.usage.prompt_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", response.usage.completion_tokens)
        return message


def use(call: dict[str, Any]) -> dict[str, Any]:
    """Call the tool that the model asks for, in a span, and return the message with what came of it."""
    function = call["function"]
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": function["name"],
        "gen_ai.tool.call.id": call["id"],
        "gen_ai.tool.call.arguments": function["arguments"],
    }
    with tracer.start_as_current_span(f"execute_tool {function['name']}", attributes=attributes) as span:
        result = json.dumps(find_order(**json.loads(function["arguments"])), ensure_ascii=False)
        span.set_attribute("gen_ai.tool.call.result", result)
    return {"role": "tool", "tool_call_id": call["id"], "content": result}


def main() -> None:
    """Answer one question."""
    messages: list[Any] = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Where is order 1007?"}]
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide"}
    with (
        ScriptedProvider() as model,
        OpenAI(api_key="stays here", base_url=model.url) as client,
        tracer.start_as_current_span("invoke_agent guide", attributes=agent),
    ):
        message = ask(client, messages)
        while message.get("tool_calls"):
            messages += [message, *map(use, message["tool_calls"])]
            message = ask(client, messages)
    print(message["content"])
    print("\nSee all of it: whyops show last")


if __name__ == "__main__":
    main()
