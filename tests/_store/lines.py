"""Event lines for the tests of the store."""

from __future__ import annotations

import json


def event(number: int = 1, trace: str = "t-1", kind: str = "user_message", **fields: object) -> dict[str, object]:
    return {
        "traceId": trace,
        "agentName": "support",
        "eventType": kind,
        "timestamp": f"2026-11-23T18:14:{number % 60:02d}.{number:06d}Z",
        "idempotencyKey": f"0123456789abcdef-{number:x}",
        "content": [{"role": "user", "content": f"message {number}"}],
        **fields,
    }


def line(number: int = 1, trace: str = "t-1", kind: str = "user_message", **fields: object) -> bytes:
    return json.dumps(event(number, trace, kind, **fields)).encode() + b"\n"
