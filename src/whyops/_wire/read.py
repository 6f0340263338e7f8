"""An event's line → an object that says what the event tells. Nothing here raises, whatever a client has put into an event."""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .event_metadata import EventMetadata
from .model_tool_call import ModelToolCall, name_in, tool_calls_in
from .names import UNKNOWN
from .once import once
from .recorded_time import began, duration_ms, happened
from .told import ToldResult, error_of, role_of, told_results
from .used import NO_USAGE, Usage
from .values import as_mapping, as_sequence, as_text

_OWN_KEY = re.compile(r"([0-9a-f]{16})-(\d{1,18})([ab]?)", re.ASCII)

_MADE_KEY = "hash_"
_NOT_CAPTURED = '"[not captured'
_BEGINNING = _NOT_CAPTURED[1:].encode()
_ERROR = b'"error"'
_ESCAPED = rb"\u00"
"""With an escape of this form in a line, a word of ASCII may be written otherwise."""
_COUNTERPARTS = {
    "embedding_request": "embedding_response",
    "embedding_response": "embedding_request",
    "tool_call_request": "tool_call_response",
    "tool_call_response": "tool_call_request",
}


def decode(line: bytes) -> dict[str, object] | None:
    """Return the event that a line holds, or None if it is no JSON object."""
    try:
        event = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    except ValueError:  # a number of more digits than Python converts: keep it as text
        event = json.loads(line, parse_int=str)
    return event if isinstance(event, dict) else None


class KeyParts(NamedTuple):
    """What an idempotency key of our own making tells; `process` is empty for any other key.

    A process numbers what it records. The two events of a call have the number of its beginning.
    """

    process: str = ""
    number: int = 0
    is_end: bool = False


def key_parts(key: str | None) -> KeyParts:
    """Read a key, or another id, that was made here."""
    found = _OWN_KEY.fullmatch(key or "")
    return KeyParts() if found is None else KeyParts(found[1], int(found[2]), found[3] == "b")


@dataclass(frozen=True)
class Message:
    """One message of a prompt. `content` is text, or a provider's list of parts."""

    role: str
    content: object


@dataclass(frozen=True, init=False)
class RecordedEvent(EventMetadata):
    """One event of a trace. `raw` is the event as it was recorded; all else is read from it."""

    raw: Mapping[str, object]
    line: bytes = field(compare=False, repr=False)
    """The line that it was read from, where that is kept."""
    head: Mapping[str, object] = field(compare=False, repr=False)
    """The event; it may lack its content, where that is left in the line until it is asked for."""
    type: str = field(compare=False, repr=False)
    """What happened: one of the nine event types, or another client's word."""
    key: str | None = field(compare=False, repr=False)
    """The idempotency key: two events of a trace with the same one are the same event."""
    span_id: str | None = field(compare=False, repr=False)
    """The span that pairs a request with its response."""
    metadata: Mapping[str, object] = field(compare=False, repr=False)
    """The event's metadata."""

    def __init__(self, raw: Mapping[str, object], line: bytes = b"") -> None:
        known, given = self.__dict__, raw.get
        known["raw"] = known["head"] = raw
        known["line"] = line
        known["type"] = as_text(given("eventType")) or UNKNOWN
        known["key"] = as_text(given("idempotencyKey"))
        known["span_id"] = as_text(given("spanId"))
        known["metadata"] = as_mapping(given("metadata"))

    @once
    def fields(self) -> Mapping[str, object]:
        """The content, if it is an object; else empty."""
        return as_mapping(self.content)

    def let_go(self) -> None:
        """Let go of what can be read again from the line: nothing, where it has been read whole."""

    @once
    def at(self) -> int | None:
        """When, in microseconds since 1970: as it was when it happened, if that was recorded apart from the service's milliseconds."""
        return happened(self.head, self.metadata)

    @once
    def began_at(self) -> int | None:
        """When what the event tells of began, in microseconds since 1970: the block that it opened, or a call that ended with it."""
        return began(self.type, self.at, self.metadata)

    @property
    def trace_id(self) -> str | None:
        """The trace that the event is part of."""
        return as_text(self.head.get("traceId"))

    @property
    def agent_name(self) -> str | None:
        """The agent that the event was recorded for."""
        return as_text(self.head.get("agentName"))

    @property
    def external_user_id(self) -> str | None:
        """The user that the event is about."""
        return as_text(self.head.get("externalUserId"))

    @property
    def is_proxied(self) -> bool:
        """Whether it may be the WhyOps proxy that recorded this: it gives no key, and the service makes one of the content."""
        return (self.key or _MADE_KEY).startswith(_MADE_KEY)

    @once
    def key_parts(self) -> KeyParts:
        """What the key tells of the event's place among those of its process."""
        return key_parts(self.key)

    @property
    def step(self) -> int | None:
        """The step's number in its trace: the caller's own, else the service's, which counts what comes in."""
        step = self.head.get("stepId")
        return step if isinstance(step, int) else None

    @once
    def parent_span_id(self) -> str | None:
        """The span within which this happened."""
        return as_text(self.metadata.get("parentSpanId"))

    @once
    def process(self) -> str | None:
        """What tells the recording process from others: the key's part before the dash."""
        process, dash, _ = (self.key or "").partition("-")
        return process if process and dash else None

    @property
    def counterpart(self) -> str | None:
        """The type of the other event of a call: a request's response, a response's request; None for what is no part of a pair."""
        return _COUNTERPARTS.get(self.type)

    @property
    def content(self) -> object:
        """The event's content, in the form its type has."""
        return self.raw.get("content")

    @once
    def latency_ms(self) -> float | None:
        """How long it took: the exact time if it was recorded, else the whole milliseconds."""
        return duration_ms(self.metadata)

    @once
    def usage(self) -> Usage:
        """The tokens that were used."""
        given = self.metadata.get("usage")
        if given is None:  # of most events
            return NO_USAGE
        return Usage.of_proxy(given) if self.is_proxied else Usage.of(given)

    @property
    def is_marked(self) -> bool:
        """Whether it tells that something in it was cut or taken out."""
        return "truncated" in self.metadata or "redacted" in self.metadata

    def with_content(self, content: object) -> dict[str, object]:
        """Return an event of this type that has another content, and nothing else."""
        return {"eventType": self.type, "content": content}

    @property
    def not_captured(self) -> int:
        """How many markers stand for contents that were not to be recorded."""
        if self.line and _BEGINNING not in self.line and _ESCAPED not in self.line:
            return 0
        try:
            if _BEGINNING not in marshal.dumps(dict(self.raw)):  # a fourth of what JSON takes, and seldom is there one
                return 0
        except ValueError:  # what JSON does not know, or what is nested too deep
            pass
        try:
            return json.dumps(self.raw, default=str).count(_NOT_CAPTURED)
        except (ValueError, TypeError, RecursionError):
            return 0

    @once
    def messages(self) -> tuple[Message, ...]:
        """The messages of a prompt, oldest first."""
        whole = as_sequence(self.metadata.get("messages"))
        listed = whole or self.prompt[1]
        return tuple(map(_message, listed or (() if self.content is None else (self.content,))))

    @once
    def prompt(self) -> tuple[tuple[str, ...], Sequence[object]]:
        """The list of messages in the content, in any provider's form, and where in the event it is."""
        if listed := as_sequence(self.content):
            return ("content",), listed
        name = next((name for name in ("messages", "input") if as_sequence(self.fields.get(name))), "messages")
        return ("content", name), as_sequence(self.fields.get(name))

    @property
    def error_type(self) -> str | None:
        """The class of an exception, or a provider's kind of failure."""
        return as_text(error_of(self.content)[0]) if self.type == "error" else None

    @property
    def thinking(self) -> object:
        """What a model thought."""
        return self.fields.get("thinking", self.content)

    @property
    def answer(self) -> object:
        """A model's text, or a provider's list of parts; None for an answer that only calls tools."""
        if not isinstance(self.content, Mapping):
            return self.content
        return next((text for name in ("content", "text", "refusal") if (text := self.fields.get(name)) is not None), None)

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped."""
        return as_text(self.fields.get("finishReason"))

    @property
    def inputs(self) -> Sequence[object]:
        """The texts to embed, or the numbers of each one's tokens."""
        given = self.fields.get("input")
        is_one = (isinstance(given, str) and given) or (isinstance(given, list) and any(isinstance(token, int) for token in given))
        return (given,) if is_one else as_sequence(given)

    @property
    def embedding_count(self) -> int | None:
        """How many vectors came back."""
        count = self.fields.get("embeddingCount")
        return count if isinstance(count, int) else None

    @once
    def tool(self) -> str | None:
        """The tool that is called, or that gave a result."""
        named = as_text(self.metadata.get("tool")) or as_text(self.fields.get("toolName"))
        if named or self.type != "tool_result":
            return named or name_in(self.fields.get("toolCalls"))
        return next((call.name for call in self.tool_calls if call.name != UNKNOWN), None)

    @once
    def tool_calls(self) -> tuple[ModelToolCall, ...]:
        """The tools that a model chose, with its calls' ids, or that a request or response names, with their arguments."""
        if self.type == "tool_result":
            calls = (result.call for result in self.told)
            told = tuple(ModelToolCall(None, call.name or UNKNOWN, call.arguments) for call in calls if call is not None)
            if told:
                return told
        return tool_calls_in(self.fields.get("toolCalls"))

    @once
    def told(self) -> tuple[ToldResult, ...]:
        """What tools gave, where the event is a prompt that tells a model of it."""
        return told_results(self.prompt[1]) if self.type == "tool_result" else ()

    @property
    def result(self) -> object:
        """What a tool returned, as a response or a result tells it; None as well where it was interrupted."""
        if self.type == "tool_result":
            values = [one.value for one in self.told]
            return values[0] if len(values) == 1 else values or self.fields.get("output", self.content)
        results = self.fields.get("toolResults", self.content)
        fields = as_mapping(results)
        if len(fields) != 1 or "interrupted" not in fields:
            return fields["result"] if len(fields) == 1 and "result" in fields else results
        return None

    @once
    def failure(self) -> str | None:
        """What an error or a tool's response says went wrong; None if nothing did."""
        if self.type == "tool_call_response":
            if self.line and _ERROR not in self.line and _ESCAPED not in self.line:
                return None
            told = as_mapping(self.fields.get("toolResults")).get("error")
            return _text_of(told) if told else None
        if self.type == "error":
            given_kind, given = error_of(self.content)
            kind, message = as_text(given_kind), _text_of(given)
            return f"{kind}: {message}" if kind and not message.startswith(kind) else message
        if self.type == "tool_result" and any(one.failed for one in self.told):
            return next(_text_of(one.value) for one in self.told if one.failed)
        return None

    @property
    def status(self) -> int | None:
        """The status that a server answered with."""
        status = self.fields.get("status")
        return status if isinstance(status, int) else None

    @property
    def stack(self) -> str | None:
        """An error's stack."""
        return as_text(self.fields.get("stack"))


def _message(value: object) -> Message:
    if isinstance(value, Mapping):
        return Message(role_of(value), value.get("content", value))
    return Message("user", value)


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else repr(value)
