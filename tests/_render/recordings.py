"""Recorded runs for the tests of the views: a small builder, and one run that has a bit of everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

Event = dict[str, object]

ALIVE, DEAD = "aaaaaaaaaaaaaaaa", "dddddddddddddddd"


class Run:
    """Writes a trace's events as an agent's run would, each a given time after the one before."""

    def __init__(self, trace_id: str = "session-123", process: str = DEAD) -> None:
        self.trace_id = trace_id
        self.process = process
        self.events: list[Event] = []
        self._at = datetime(2026, 11, 23, 18, 14, 5, 123456, tzinfo=timezone.utc)

    def add(self, kind: str, content: object, metadata: Event | None = None, span: str | None = None, ms: float = 1) -> None:
        self._at += timedelta(milliseconds=ms)
        event: Event = {
            "traceId": self.trace_id,
            "agentName": "support",
            "externalUserId": "user_12345",
            "eventType": kind,
            "timestamp": self._at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "idempotencyKey": f"{self.process}-{len(self.events):x}",
            "content": content,
            "metadata": metadata or {},
        }
        self.events.append(event if span is None else {**event, "spanId": span})

    def user(self, *texts: str, **metadata: object) -> None:
        self.add("user_message", [{"role": "user", "content": text} for text in texts], metadata)

    def model(self, text: str | None = None, chosen: Sequence[tuple[str, Event]] = (), ms: float = 390, **metadata: object) -> None:
        calls = [{"id": "c", "function": {"name": name, "arguments": json.dumps(arguments)}} for name, arguments in chosen]
        content: Event = {"content": text, **({"toolCalls": calls} if calls else {})}
        told = {"model": "openai/gpt-4o-mini", "provider": "openai", "latencyMs": int(ms)}
        self.add("llm_response", content, {**told, **metadata}, None, ms)

    def request(self, name: str, arguments: object, span: str, **metadata: object) -> None:
        self.add("tool_call_request", {"toolCalls": [{"name": name, "arguments": arguments}]}, {"tool": name, **metadata}, span)

    def response(self, name: str, result: object, span: str, ms: float = 12, **metadata: object) -> None:
        content = {"toolCalls": [], "toolResults": result if isinstance(result, dict) else {"result": result}}
        self.add("tool_call_response", content, {"tool": name, "latencyMs": round(ms), "durationMs": ms, **metadata}, span, ms)

    def tool(
        self, name: str, arguments: object, result: object, span: str, inside: Callable[[], None] | None = None, **more: object
    ) -> None:
        parent = {"parentSpanId": more.pop("parent")} if "parent" in more else {}
        self.request(name, arguments, span, **parent)
        if inside is not None:
            inside()
        self.response(name, result, span, **parent, **more)  # type: ignore[arg-type]


def conversation() -> list[Event]:
    """Two turns: thinking, a model that chooses three tools, nested calls, a failure, an embedding, and a call that never ended."""
    run = Run()
    run.user(
        "Hello!",
        "Where is order 123? And can I still get the money back for the other one, the blue mug that arrived broken?",
        tools=[{}, {}, {}],
    )
    run.add(
        "llm_thinking", {"type": "thinking", "thinking": "Two questions. First look both orders up, then see about the refund."}, ms=200
    )
    chosen = [("search_orders", {"customer": "user_12345"}), ("refund_order", {"order_id": "119"}), ("notify", {"who": "shop"})]
    usage = {"promptTokens": 128, "completionTokens": 46, "cacheReadTokens": 1024, "totalTokens": 1198}
    run.model(chosen=chosen, usage=usage)

    def look_up() -> None:
        rows = [{"id": "123", "status": "shipped"}, {"id": "119", "status": "delivered"}]
        run.tool("query_database", {"sql": "select * from orders", "parameters": ["user_12345"]}, rows, "s2", parent="s1", ms=41.27)
        run.tool("track_parcel", {"number": "JD0146"}, {"carrier": "DHL"}, "s3", parent="s1", ms=812.4)

    orders = [{"id": "123", "eta": "2026-11-25", "items": [{"sku": "mug-blue", "price": 12.5}]}, {"id": "119", "status": "delivered"}]
    run.tool("search_orders", {"customer": "user_12345"}, orders, "s1", look_up, truncated=2)
    run.request("refund_order", {"order_id": "119", "amount": 12.5}, "s4")
    stack = 'Traceback (most recent call last):\n  File "shop.py", line 3, in refund_order\nshop.PaymentError: paid by voucher'
    run.add("error", {"message": "paid by voucher", "type": "shop.PaymentError", "stack": stack}, span="s4", ms=12)
    run.response("refund_order", {"error": "PaymentError: paid by voucher"}, "s4", ms=12.3, redacted=1)
    answer = "Order 123 has shipped and arrives on Wednesday. Order 119 was paid by voucher, so I asked a manager to look at it."
    run.model(answer, ms=1210, usage={"promptTokens": 42, "completionTokens": 16, "totalTokens": 58})
    run.add("user_message", [{"role": "user", "content": "Thanks!"}], ms=30_000)
    run.add("embedding_request", {"input": ["Thanks!"]}, span="e1")
    vectors = {"object": "list", "embeddingCount": 1, "firstEmbeddingDimensions": 1536}
    run.add(
        "embedding_response", vectors, {"model": "embed-3", "provider": "openai", "latencyMs": 45, "usage": {"totalTokens": 3}}, "e1", 45
    )
    run.model("You are welcome!", ms=300, usage={"promptTokens": 60, "completionTokens": 4, "totalTokens": 64})
    run.request("close_ticket", {"ticket": 7}, "s9")
    return run.events
