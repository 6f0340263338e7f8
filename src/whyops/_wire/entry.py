"""What a line tells of the trace that it is part of, as far as the trace's row and counts take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .model_tool_call import name_in
from .prompt import is_of_user
from .read import RecordedEvent
from .recorded_time import microseconds
from .values import as_mapping, as_text, sqlite_text

_PLAIN = frozenset({"llm_response", "llm_thinking", "tool_call_request", "tool_call_response", "user_message"})
"""Of these little is read, and without metadata nothing has to be looked up in other places."""

_Names = tuple["str | None", "str | None", "str | None", object, object]
"""An event's trace, key, span, agent and user."""


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
    tool: str | None = None
    failed: bool = False
    stands_for: bool = False
    by_user: bool = False
    tokens: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, raw: Mapping[str, object], line: bytes) -> Entry:
        """Read an event."""
        given = raw.get
        kind = given("eventType")
        trace, key, span = text_in(given("traceId")), text_in(given("idempotencyKey")), text_in(given("spanId"))
        if given("metadata") or type(kind) is not str or kind not in _PLAIN:
            return _read(RecordedEvent(raw), line, (trace, key, span, given("agentName"), given("externalUserId")))
        at = microseconds(given("timestamp"))
        if kind not in ("tool_call_request", "tool_call_response"):
            return cls(line, kind, trace, key, span, given("agentName"), given("externalUserId"), at, at, by_user=kind == "user_message")
        fields = as_mapping(given("content"))
        tool = as_text(fields.get("toolName")) or name_in(fields.get("toolCalls"))
        failed = kind == "tool_call_response" and bool(as_mapping(fields.get("toolResults")).get("error"))
        return cls(line, kind, trace, key, span, given("agentName"), given("externalUserId"), at, at, text_in(tool), failed)


def _read(event: RecordedEvent, line: bytes, names: _Names) -> Entry:
    stands_for = event.stands_for is not None
    is_tool = event.type in ("tool_call_request", "tool_call_response", "tool_result") and not stands_for
    return Entry(
        line,
        event.type,
        *names,
        event.at,
        event.began_at,
        text_in(event.tool) if is_tool else None,
        event.type == "tool_call_response" and not stands_for and event.failure is not None,
        stands_for,
        event.type == "user_message" and is_of_user(event),
        (event.usage.given, event.usage.completion) if "usage" in event.metadata else (0, 0),
    )


def text_in(value: object) -> str | None:
    """Return the value, as SQLite accepts it, if it is text and not empty, else None."""
    if type(value) is str and value and value.isascii():
        return value
    text = as_text(value)
    return None if text is None else sqlite_text(text)
