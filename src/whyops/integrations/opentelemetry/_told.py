"""What a span tells, whichever conventions it follows: plain values in our form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..._providers.answer import Answer
from ..._providers.said import Said
from ..._runtime.safely import safely_or
from ...types import MessageItem

Span = Mapping[str, Any]
"""A span as plain values: `name`, `scope`, `attributes`, `events` (each `name` and `attributes`), `status` (`code`, `description`)."""

Kind = Literal["model", "embedding", "tool", "retriever", "agent", "chain"]

LONGEST_NAME = 200


@dataclass(slots=True)
class Model:
    """A model's call: what it was asked and what it answered. `inputs` are the texts of an embedding model; then nothing is answered."""

    name: object = None
    provider: object = None
    messages: list[MessageItem] = field(default_factory=list)
    tools: list[Any] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    inputs: list[object] | None = None
    first_token_s: float | None = None


@dataclass(slots=True)
class Tool:
    """A tool's call; `arguments` are None as long as the span tells none."""

    name: str | None = None
    arguments: dict[str, Any] | None = None
    call_id: str | None = None
    result: object = None


@dataclass(slots=True)
class Failure:
    """What went wrong, as text: a message, the exception's type and its stack, as far as they are told."""

    message: str
    kind: str | None = None
    stack: str | None = None


def failure_of(span: Span) -> Failure | None:
    """Return what a span says went wrong: its last exception, else its status; None where its status is not an error."""
    status = span.get("status") or {}
    if status.get("code") != "ERROR":
        return None
    told = [event.get("attributes") or {} for event in span.get("events") or () if event.get("name") == "exception"]
    last = told[-1] if told else {}
    kind = text(last.get("exception.type")) or text((span.get("attributes") or {}).get("error.type"))
    message = text(last.get("exception.message")) or text(status.get("description")) or kind or "failed"
    return Failure(message, kind, text(last.get("exception.stacktrace")))


def said(message: MessageItem) -> Said:
    """Return what makes a message up."""
    name = message.get("name")
    parts = [message["content"], message.get("tool_calls"), message.get("tool_call_id")]
    return Said(message["role"], parts, name if isinstance(name, str) else None)


def from_json(value: object) -> Any:
    """Return what a text of JSON holds; what is none stays as it is."""
    return safely_or(json.loads, value, value) if isinstance(value, str) and value[:1] in '[{"tfn-0123456789' else value


def object_in(value: object) -> dict[str, Any] | None:
    """Return arguments by name: a JSON object as it is, anything else under `input`; None for nothing."""
    held = from_json(value)
    if held is None or held == "":
        return None
    return {str(name): each for name, each in held.items()} if isinstance(held, Mapping) else {"input": held}


def items_in(value: object) -> list[Any]:
    """Return the items of a list, which may be JSON; anything else is one item, and nothing is none."""
    held = from_json(value)
    if held is None or held == "":
        return []
    return list(held) if isinstance(held, (list, tuple)) else [held]


def text(value: object) -> str | None:
    """Return a text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def first(held: Mapping[str, Any], *names: str) -> Any:
    """Return the first value that is there under one of the names; None if there is none."""
    return next((held[name] for name in names if held.get(name) is not None), None)
