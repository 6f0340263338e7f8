"""An agent of two turns with all that a run can have: reasoning, a call in a call, one that fails, tokens of a cache.

`support.py NAME` answers two questions in the trace of that name, and waits until they are delivered; with `hasty` behind it, it doesn't.
`support.py NAME endless` goes on until there is nothing more to read, and says the number of each turn once it is recorded.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time

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
        time.sleep(0.003)
        trace.llm_thinking_sync("Let me see.")
        call: ToolCallItem = {"id": "c1", "function": {"name": "look", "arguments": '{"thing":"cup"}'}}
        used = {"promptTokens": 3, "completionTokens": 4, "totalTokens": 24, "cacheReadTokens": 5, "cacheCreationTokens": 12}
        trace.llm_response_sync("gpt-4o", "openai", tool_calls=[call], finish_reason="tool_calls", usage=used, latency_ms=2.0)
        look("cup")
        with contextlib.suppress(ValueError):
            pay(5)
        time.sleep(0.002)
        trace.llm_response_sync("gpt-4o", "openai", f"Answer to {question}", finish_reason="stop", usage=used, latency_ms=1.0)


def endless(sdk: whyops.WhyOps, name: str) -> None:
    """Answer questions in three conversations in turns, until there is nothing more to read."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    for number in itertools.count():
        turn(sdk.trace(f"{name}-{number % 3}", "u-1"), f"question {number}")
        print(number, flush=True)
        if ended.wait(0.05):
            return


sdk = whyops.WhyOps()
if sys.argv[2:] == ["endless"]:
    endless(sdk, sys.argv[1])
else:
    conversation = sdk.trace(sys.argv[1], "u-1")
    turn(conversation, "first")
    turn(conversation, "second")
sdk.close_sync(0.5 if sys.argv[2:] == ["hasty"] else 60)
