"""What a reader returns where it does not return a plainer value as it is: a beginning, a marker, attributes; and how much is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .class_fields import name_of

MAX_EXACT = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exactly; greater ones are written as text."""

NODE_COST = 16
"""Bytes of the budget that a value costs beside its text, so that a million empty lists have a bound too."""

MARGIN = 4_096
"""Characters beyond a cut that redaction still looks at: a secret that begins before the cut is known by what follows."""


class Marker(str):
    """A short text that stands for a value."""

    __slots__ = ()


class Items(NamedTuple):
    """The first elements of something that has `size` of them."""

    items: Sequence[object]
    size: int


class Entries(NamedTuple):
    """The first entries of a dict that has `size` of them."""

    items: Sequence[tuple[object, object]]
    size: int


class CutText(NamedTuple):
    """The beginning of a text of `size` bytes."""

    text: str
    size: int


class Attributes(NamedTuple):
    """The public attributes of an object whose class declares no fields: shown one level deep."""

    kind: type
    fields: dict[str, object]


def marker(kind: type, note: str = "") -> Marker:
    """Return the marker of a value of this type."""
    return Marker(f"<{name_of(kind)}{note}>")
