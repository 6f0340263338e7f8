"""A fleet of workers: `worker.py PROCESSES TURNS SECONDS` forks so many processes. Each has so many turns, one every so many seconds.

With `-1` seconds there is no pause, and nobody waits for delivery at the end. Each says what CPU a turn cost
it, without what it loads with its first, as a line of JSON.

A turn has a prompt of 2 kB, three answers of a model and three calls of a tool with 1 kB each: six spans, and the one around them.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid

import whyops

PROMPT, RESULT = "You help the customers of a small shop. " * 50, "Order 1002, one desk lamp, delivered. " * 27


@whyops.tool
def find_orders(customer: str) -> dict[str, str]:
    """List a customer's orders."""
    return {"customer": customer, "orders": RESULT}


def turn(trace: whyops.WhyOpsTrace) -> None:
    """Answer one question."""
    with trace:
        trace.user_message_sync([{"role": "system", "content": PROMPT}, {"role": "user", "content": "Where are my orders?"}])
        for customer in ("mia", "jonas", "ada"):
            trace.llm_response_sync("gpt-4o", "openai", f"I'll look for {customer}.", finish_reason="stop", latency_ms=0.1)
            find_orders(customer)


def work(turns: int, pause: float) -> None:
    """Be one of the workers."""
    sdk = whyops.WhyOps(keep_local=False)
    loaded = time.process_time()
    for number in range(turns):
        turn(sdk.trace(str(uuid.uuid4()), "u-1"))
        if number == 0 and pause >= 0:
            sdk.flush_sync(300)
            loaded = time.process_time()
        time.sleep(max(0.0, pause))
    sdk.close_sync(0.5 if pause < 0 else 300)
    said = {"cpu": (time.process_time() - loaded) / (turns - 1)}
    os.write(1, f"{json.dumps(said)}\n".encode())


for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        work(int(sys.argv[2]), float(sys.argv[3]))
        sys.exit()
for _ in range(int(sys.argv[1])):
    assert os.wait()[1] == 0
