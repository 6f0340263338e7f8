"""A worker of a fleet: `worker.py TURNS SECONDS` has so many turns, one every so many seconds, and says what it cost, as JSON.

A turn has a prompt of 2 kB, three answers of a model and three calls of a tool with 1 kB each: six spans, and the one around them.
"""

from __future__ import annotations

import json
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


turns, pause = int(sys.argv[1]), float(sys.argv[2])
sdk = whyops.WhyOps(keep_local=False)
loaded, began = time.process_time(), time.monotonic()
for number in range(turns):
    turn(sdk.trace(str(uuid.uuid4()), "u-1"))
    time.sleep(max(0.0, began + pause * (number + 1) - time.monotonic()))
left = sdk.close_sync(0.5 if pause < 0 else 300)
print(json.dumps({"cpu": time.process_time() - loaded, "seconds": time.monotonic() - began, "left": left.waiting}))
