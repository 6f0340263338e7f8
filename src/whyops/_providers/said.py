"""A message as an application holds it: what it is known by when it comes again."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """A message as an application holds it: who speaks, what makes it up, its name, and the object, where it is one of its own."""

    role: str
    parts: object
    name: str | None = None
    message: object = None
