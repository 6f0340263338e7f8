"""Protocol buffers, as far as OTLP's messages need them: fields of text, bytes, numbers and messages. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LAST_64 = (1 << 64) - 1
_SHORT = 128

_fixed64 = struct.Struct("<Q").pack
_double = struct.Struct("<d").pack


class Malformed(Exception):
    """Bytes are no message."""


@lru_cache(maxsize=4_096)
def varint(value: int) -> bytes:
    """Return a whole number as it is written; one below zero as its two's complement of 64 bits."""
    value &= _LAST_64
    written = bytearray()
    while value >= _SHORT:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def message(number: int, body: bytes) -> bytes:
    """Return a field that holds a message, or bytes."""
    return _tag(number, _BYTES) + varint(len(body)) + body


def text(number: int, value: str) -> bytes:
    """Return a field that holds a text. What is no character becomes a question mark."""
    return message(number, value.encode("utf-8", "replace"))


def pair(number: int, name: bytes, value: bytes) -> bytes:
    """Return a field that holds a `KeyValue` of a text: `name` is its first field, as it is written, `value` UTF-8."""
    size = varint(len(value))
    held = 1 + len(size) + len(value)
    held_size = varint(held)
    return b"%b%b%b\x12%b\x0a%b%b" % (_tag(number, _BYTES), varint(len(name) + 1 + len(held_size) + held), name, held_size, size, value)


def number_pair(number: int, name: bytes, value: int) -> bytes:
    """Return the same of a whole number."""
    written = varint(value)
    held = 1 + len(written)
    return b"%b%b%b\x12%b\x18%b" % (_tag(number, _BYTES), varint(len(name) + 2 + held), name, varint(held), written)


def whole(number: int, value: int) -> bytes:
    """Return a field that holds a whole number, or a truth value."""
    return _tag(number, _VARINT) + varint(value)


def fixed(number: int, value: int) -> bytes:
    """Return a field that holds 64 bits; what does not fit is the nearest that does."""
    return _tag(number, _FIXED64) + _fixed64(min(max(value, 0), _LAST_64))


def double(number: int, value: float) -> bytes:
    """Return a field that holds a number with a fraction."""
    return _tag(number, _FIXED64) + _double(value)


@lru_cache(maxsize=64)
def _tag(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: their numbers and what they hold.

    Raises:
        Malformed: It is none.
    """
    position = 0
    while position < len(body):
        tag, position = _read_varint(body, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _read_varint(body, position)
            yield tag >> 3, value
            continue
        if kind not in {_BYTES, _FIXED32, _FIXED64}:
            raise Malformed
        length = 8 if kind == _FIXED64 else 4
        if kind == _BYTES:
            length, position = _read_varint(body, position)
        if position + length > len(body):
            raise Malformed
        yield tag >> 3, body[position : position + length]
        position += length


def _read_varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(body) and shift < 70:
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _SHORT:
            return value, position
        shift += 7
    raise Malformed
