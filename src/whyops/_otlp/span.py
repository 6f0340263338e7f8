"""A span, and a span as bytes of OTLP. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from . import protobuf

Value = str | int | float | bool | tuple[str, ...]
"""What an attribute holds."""

INTERNAL, CLIENT = 1, 3
_FAILED = 2
_SHORT = 64
_LAST_63 = (1 << 63) - 1


@dataclass(slots=True)
class SpanEvent:
    """Something that happened in a span, at a moment in microseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, Value]


@dataclass(slots=True)
class Span:
    """One span. Times are in microseconds since 1970; `failure` is what its status says, None where it did not fail.

    `resource` is the agent's name, under which spans are sent together.
    """

    resource: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    kind: int
    start: int
    end: int
    attributes: dict[str, Value]
    failure: str | None = None
    events: Sequence[SpanEvent] = ()
    links: Sequence[tuple[bytes, bytes]] = field(default=())


def span_bytes(span: Span) -> bytes:
    """Return a span as the message that OTLP has for it."""
    parts = [
        protobuf.message(1, span.trace_id),
        protobuf.message(2, span.span_id),
        b"" if span.parent_id is None else protobuf.message(4, span.parent_id),
        protobuf.text(5, span.name),
        protobuf.whole(6, span.kind),
        protobuf.fixed(7, span.start * 1000),
        protobuf.fixed(8, span.end * 1000),
        attributes_bytes(9, span.attributes),
    ]
    for event in span.events:
        body = protobuf.fixed(1, event.at * 1000) + protobuf.text(2, event.name) + attributes_bytes(3, event.attributes)
        parts.append(protobuf.message(11, body))
    parts += [protobuf.message(13, protobuf.message(1, trace_id) + protobuf.message(2, span_id)) for trace_id, span_id in span.links]
    if span.failure is not None:
        parts.append(protobuf.message(15, protobuf.text(2, span.failure) + protobuf.whole(3, _FAILED)))
    return b"".join(parts)


def attributes_bytes(number: int, attributes: Mapping[str, Value]) -> bytes:
    """Return attributes as repeated fields."""
    return b"".join(
        [
            _short(number, name, value) if type(value) is str and len(value) < _SHORT else _attribute(number, name, value)
            for name, value in attributes.items()
        ]
    )


def _attribute(number: int, name: str, value: Value) -> bytes:
    return protobuf.message(number, _key(name) + protobuf.message(2, _value(value)))


_short = lru_cache(maxsize=2_048)(_attribute)
"""Most short texts are the same in many spans."""


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return protobuf.text(1, name)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return protobuf.text(1, value)
    if isinstance(value, bool):
        return protobuf.whole(2, value)
    if isinstance(value, int):
        return protobuf.whole(3, min(value, _LAST_63))
    if isinstance(value, float):
        return protobuf.double(4, value)
    return protobuf.message(5, b"".join([protobuf.message(1, _value(one)) for one in value]))
