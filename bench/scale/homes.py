"""Folders as long use leaves them: a full local store, events that wait, files that dead processes left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from whyops._outbox.destination import OUTBOX, Destination

LOCAL = Destination("local", "shop", "")
_RESULT = {"orders": [{"id": f"order-{number:05d}", "status": "in transit", "items": [17, 4], "total": 129.5} for number in range(3)]}


def lines(traces: int, calls: int) -> Iterator[bytes]:
    """Yield the lines of traces with a question, so many tool calls (two lines each) and an answer, as clients write them.

    Every tenth is of `user_1`.
    """
    number = 0
    for trace in range(traces):
        start = f'{{"traceId":"trace-{trace:06d}","agentName":"shop","externalUserId":"user_{trace % 10}","eventType":"'
        for kind, span, content in _events(calls):
            number += 1
            moment = f"2026-11-{1 + number // 4_320_000:02d}T{number // 180_000 % 24:02d}:{number // 3000 % 60:02d}:{number // 50 % 60:02d}"
            moment += f".{number % 50 * 20:03d}"
            key = f'"timestamp":"{moment}Z","idempotencyKey":"{"0" * 16}-{number}"'
            of_span = f',"spanId":"{trace}-{span}"' if span else ""
            yield f'{start}{kind}",{key}{of_span},"content":{json.dumps(content)},{_metadata(kind, moment)}}}\n'.encode()


def _metadata(kind: str, moment: str) -> str:
    tool = '"tool":"search_orders",' if "tool" in kind else ""
    took = ',"latencyMs":12,"durationMs":12.5' if kind == "tool_call_response" else ""
    return f'"metadata":{{{tool}"recordedAt":"{moment}000Z"{took},"runId":"{"0" * 16}-1"}}'


def _events(calls: int) -> Iterator[tuple[str, int, object]]:
    yield "user_message", 0, [{"role": "user", "content": "Where are the orders that I made last week?"}]
    for call in range(1, calls + 1):
        yield "tool_call_request", call, {"toolCalls": [{"name": "search_orders", "arguments": {"order_id": f"order-{call:05d}"}}]}
        yield "tool_call_response", call, {"toolCalls": [{"name": "search_orders"}], "toolResults": _RESULT}
    yield "llm_response", 0, {"content": "They are on their way.", "finishReason": "stop"}


def written(path: Path, every: Iterable[bytes]) -> Path:
    """Write lines to a file, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(every)
    return path


def leave(home: Path, destination: Destination, files: int, found: Path) -> None:
    """Leave a file's lines as so many dead processes do, the same number in each of their files.

    They are not held in memory: a process that is started from here counts what is held here as its own.
    """
    folder = destination.folder(home)
    for made in (home, home / OUTBOX, folder):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = json.dumps({"format": 1, "destination": destination._asdict(), "metadata": ""})[1:]
    size = len('{"acknowledged":"",') + 15 + len(head) + 1
    with found.open("rb") as counted, found.open("rb") as lines:
        each = sum(1 for _ in counted) // files
        for number in range(files):
            path = folder / f"{number:015d}-{number:016x}-000000.lines"
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(f'{{"acknowledged":"{size:015d}",{head}\n'.encode())
                file.writelines(islice(lines, each))
