"""One event line → the few columns that listing needs. Pure, and total: a foreign client's line may lack anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", re.ASCII)
_MAX_COUNT = 2**31 - 1
_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True)
class Row:
    """What the store keeps about an event, beside its line.

    `at` is the event's timestamp with six digits of fraction, so that text order is time order. `tool` is set where the event counts as
    a tool call, `failed_span` where it tells of a failure: the same span failing twice is one error, a failure without a span (empty)
    is always one more.
    """

    trace_id: str
    idempotency_key: str | None
    agent_name: str | None
    external_user_id: str | None
    at: str | None
    opens: bool
    tool: str | None
    failed_span: str | None
    tokens_in: int
    tokens_out: int


def decode(line: bytes) -> dict[str, object] | None:
    """Return the event that a line holds, or None if it is no JSON object."""
    try:
        event = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    except ValueError:  # a number of more digits than Python converts: keep it as text
        event = json.loads(line, parse_int=str)
    return event if isinstance(event, dict) else None


def row_of(event: Mapping[str, object]) -> Row | None:
    """Return the columns of an event, or None if it names no trace."""
    trace_id = _text(event.get("traceId"))
    if trace_id is None:
        return None
    kind = event.get("eventType")
    content, metadata = _mapping(event.get("content")), _mapping(event.get("metadata"))
    usage = _mapping(metadata.get("usage"))
    cached = _count(usage.get("cacheReadTokens")) + _count(usage.get("cacheCreationTokens"))
    tokens_out = _count(usage.get("completionTokens"))
    tokens_in = _count(usage.get("promptTokens")) + cached or max(_count(usage.get("totalTokens")) - tokens_out, 0)
    return Row(
        trace_id=trace_id,
        idempotency_key=_text(event.get("idempotencyKey")),
        agent_name=_text(event.get("agentName")),
        external_user_id=_text(event.get("externalUserId")),
        at=sortable(event.get("timestamp")),
        opens=kind == "user_message",
        tool=_tool(kind, content, metadata),
        failed_span=(_text(event.get("spanId")) or "") if _is_failure(kind, content) else None,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )


def sortable(timestamp: object) -> str | None:
    """Return an ISO 8601 time in UTC with exactly six digits of fraction, or None if it is none."""
    found = _TIMESTAMP.fullmatch(timestamp) if isinstance(timestamp, str) else None
    return f"{found[1]}.{(found[2] or '')[:6]:0<6}Z" if found else None


def _is_failure(kind: object, content: Mapping[str, object]) -> bool:
    return kind == "error" or (kind == "tool_call_response" and bool(_mapping(content.get("toolResults")).get("error")))


def _tool(kind: object, content: Mapping[str, object], metadata: Mapping[str, object]) -> str | None:
    if kind == "tool_call_request":
        return _text(metadata.get("tool")) or "unknown"
    if kind == "tool_result":
        return _text(content.get("toolName")) or "unknown"
    return None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else _NOTHING


def _text(value: object) -> str | None:
    """Return text that SQLite takes: what is no text, or empty, is None, and a lone surrogate becomes its escape."""
    if not isinstance(value, str) or not value:
        return None
    return value.encode("utf-8", "backslashreplace").decode()


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else 0
