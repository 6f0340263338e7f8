"""A span, and a span as bytes of OTLP. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import protobuf

Value = str | bytes | int | float | bool | tuple[str, ...]
"""What an attribute holds; bytes are text, in UTF-8."""

INTERNAL, CLIENT = 1, 3
_FAILED = 2
_LAST_64 = (1 << 64) - 1
_SHORT = 64
_kind_and_times = struct.Struct("<cBcQcQ").pack
_LAST_63 = (1 << 63) - 1


@dataclass(slots=True)
class SpanEvent:
    """Something that happened in a span, at a moment in microseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, Value]


class Common:
    """Attributes that many spans have, written once."""

    __slots__ = ("attributes", "written")

    def __init__(self, attributes: Mapping[str, Value]) -> None:
        self.attributes = attributes
        self.written = attributes_bytes(9, attributes)


@dataclass(slots=True)
class Span:
    """One span. Times are in microseconds since 1970; `failure` is what its status says, None where it did not fail.

    `resource` is the agent's name, under which spans are sent together. Of its attributes some are `common`.
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
    links: Sequence[tuple[bytes, bytes]] = ()
    common: Common | None = None


def span_bytes(span: Span) -> bytes:
    """Return a span as the message that OTLP has for it."""
    start, end = max(span.start * 1000, 0), max(span.end * 1000, 0)
    parts = [
        b"\x0a\x10%b\x12\x08%b" % (span.trace_id, span.span_id),  # fields 1 and 2, of 16 and 8 bytes
        b"" if span.parent_id is None else b"\x22\x08" + span.parent_id,  # 4, of 8 bytes
        protobuf.text(5, span.name),
        _kind_and_times(b"\x30", span.kind, b"\x39", start & _LAST_64, b"\x41", end & _LAST_64),  # 6, 7 and 8
        b"" if span.common is None else span.common.written,
        attributes_bytes(9, span.attributes),
    ]
    if not span.events and not span.links and span.failure is None:
        return b"".join(parts)
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
            _short(number, name, value)
            if type(value) is str and len(value) < _SHORT
            else protobuf.pair(number, _key(name), value)
            if type(value) is bytes
            else _attribute(number, name, value)
            for name, value in attributes.items()
        ]
    )


def _attribute(number: int, name: str, value: Value) -> bytes:
    if isinstance(value, str):
        return protobuf.pair(number, _key(name), value.encode("utf-8", "replace"))
    if type(value) is int:
        return protobuf.number_pair(number, _key(name), min(value, _LAST_63))
    held = _value(value)
    return protobuf.message(number, b"%b\x12%b%b" % (_key(name), protobuf.varint(len(held)), held))


_short = lru_cache(maxsize=2_048)(_attribute)
"""Most short texts are the same in many spans."""


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return protobuf.text(1, name)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return protobuf.text(1, value)
    if isinstance(value, bytes):
        return protobuf.message(1, value)
    if isinstance(value, bool):
        return protobuf.whole(2, value)
    if isinstance(value, int):
        return protobuf.whole(3, min(value, _LAST_63))
    if isinstance(value, float):
        return protobuf.double(4, value)
    return protobuf.message(5, b"".join([protobuf.message(1, _value(one)) for one in value]))
