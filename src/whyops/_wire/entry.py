"""What a line tells of the trace that it is part of, as far as the trace's row and counts take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .model_tool_call import name_in
from .names import UNKNOWN
from .prompt import is_of_user
from .read import RecordedEvent
from .recorded_time import began, happened
from .values import as_mapping, as_text, sqlite_text

_TOOLS = frozenset({"tool_call_request", "tool_call_response", "tool_result"})
NO_TOKENS = (0, 0)
"""Of most events."""


class Entry(NamedTuple):
    """What is kept of an event until its line is stored: the event itself is not.

    Texts are as SQLite takes them, but for `agent` and `user`, which are as they were recorded: one of each is taken of a trace. `at` and
    `began` are in microseconds since 1970. `tool` is None where the event is no tool's, or `stands_for` something else. `by_user` says of
    a prompt that a user speaks in it. `tokens` are those given to a model and those that it wrote.
    """

    line: bytes
    kind: str
    trace: str | None
    key: str | None
    span: str | None
    agent: object
    user: object
    at: int | None
    began: int | None
    tool: str | None
    failed: bool
    stands_for: bool
    by_user: bool
    tokens: tuple[int, int]

    @classmethod
    def of(cls, raw: Mapping[str, object], line: bytes) -> Entry:
        """Read an event, and make no other object of it, but for those kinds of which more is to be read."""
        given = raw.get
        kind, metadata = as_text(given("eventType")) or UNKNOWN, as_mapping(given("metadata"))
        at = happened(raw, metadata)
        stands_for = "stands_for" in metadata and as_text(metadata["stands_for"]) is not None
        tool = _tool(raw, kind, metadata) if kind in _TOOLS and not stands_for else None
        failed = kind == "tool_call_response" and not stands_for and _has_failed(raw)
        return cls(
            line,
            kind,
            text_in(given("traceId")),
            text_in(given("idempotencyKey")),
            text_in(given("spanId")),
            given("agentName"),
            given("externalUserId"),
            at,
            began(kind, at, metadata),
            tool,
            failed,
            stands_for,
            kind == "user_message" and ("promptIds" not in metadata or is_of_user(RecordedEvent(raw))),
            _tokens(raw) if "usage" in metadata else NO_TOKENS,
        )


def _tool(raw: Mapping[str, object], kind: str, metadata: Mapping[str, object]) -> str | None:
    if kind == "tool_result":
        return text_in(RecordedEvent(raw).tool)
    if tool := text_in(metadata.get("tool")):
        return tool
    content = as_mapping(raw.get("content"))
    return text_in(content.get("toolName")) or text_in(name_in(content.get("toolCalls")))


def _has_failed(raw: Mapping[str, object]) -> bool:
    return bool(as_mapping(as_mapping(raw.get("content")).get("toolResults")).get("error"))


def _tokens(raw: Mapping[str, object]) -> tuple[int, int]:
    usage = RecordedEvent(raw).usage
    return usage.given, usage.completion


def text_in(value: object) -> str | None:
    """Return the value, as SQLite accepts it, if it is text and not empty, else None."""
    if type(value) is str and value and value.isascii():
        return value
    text = as_text(value)
    return None if text is None else sqlite_text(text)
