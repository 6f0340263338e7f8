"""Real runs of LlamaIndex, with scripted models, that are kept to be looked at in each view."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent

import whyops
from tests.integrations.llama_index.scripted import ScriptedLLM, calls, in_turn
from whyops.integrations.llama_index import instrument
from whyops.testing import capture


def record(name: str) -> list[dict[str, Any]]:
    """Run what has this name, and return the events."""
    with capture(agent_name="shop") as captured, whyops.trace(name):
        globals()[name]()
    return [dict(event) for event in captured.events]


def team() -> None:
    """Two agents of LlamaIndex's, one of which hands over."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    def agent(name: str, prompt: str, *replies: Any, **more: Any) -> FunctionAgent:
        model = ScriptedLLM(script=in_turn(*replies))
        return FunctionAgent(name=name, description=name, system_prompt=prompt, llm=model, streaming=False, **more)

    to_maths = calls(("handoff", {"to_agent": "maths", "reason": "needs a sum"}))
    front = agent("front", "You only route.", to_maths, tools=[], can_handoff_to=["maths"])
    maths = agent("maths", "Always show the sum.", calls(("add", {"a": 1, "b": 2})), "1 + 2 = 3", tools=[add])

    async def run() -> None:
        await AgentWorkflow(agents=[front, maths], root_agent="front").run("What is 1 + 2?")

    with instrument():
        asyncio.run(run())
