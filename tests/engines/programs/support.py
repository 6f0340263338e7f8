"""An agent of two turns with all that a run can have: reasoning, a call in a call, one that fails, tokens of a cache."""

from __future__ import annotations

import contextlib
import sys

import whyops
from whyops.types import ToolCallItem


@whyops.tool
def look(thing: str) -> dict[str, str]:
    """Look something up."""
    return {"found": thing}


@whyops.tool
def pay(cents: int) -> None:
    """Pay, which fails."""
    look("card")
    raise ValueError(f"no {cents}")


def turn(trace: whyops.WhyOpsTrace, question: str) -> None:
    """Answer one question."""
    with trace:
        trace.user_message_sync([{"role": "system", "content": "Be kind."}, {"role": "user", "content": question}])
        trace.llm_thinking_sync("Let me see.")
        call: ToolCallItem = {"id": "c1", "function": {"name": "look", "arguments": '{"thing":"cup"}'}}
        used = {"promptTokens": 3, "completionTokens": 4, "totalTokens": 24, "cacheReadTokens": 5, "cacheCreationTokens": 12}
        trace.llm_response_sync("gpt-4o", "openai", tool_calls=[call], finish_reason="tool_calls", usage=used, latency_ms=2.5)
        look("cup")
        with contextlib.suppress(ValueError):
            pay(5)
        trace.llm_response_sync("gpt-4o", "openai", f"Answer to {question}", finish_reason="stop", usage=used, latency_ms=0.5)


sdk = whyops.WhyOps()
conversation = sdk.trace(sys.argv[1], "u-1")
turn(conversation, "first")
turn(conversation, "second")
sdk.close_sync(30)
