"""A message as an application holds it: what it is known by when it comes again."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import marshal
from typing import Any, NamedTuple


class Said(NamedTuple):
    """A message as an application holds it: who speaks, what makes it up, its name, and the object, where it is one of its own.

    `seal`, where there is one, is a value that is equal as long as nothing of what makes the object up has changed.
    """

    role: str
    parts: object
    name: str | None = None
    message: object = None
    seal: object = None


NO_REFERENCES = 2
"""The version of marshal's form in which equal values are written alike, whoever else refers to their parts."""


def seal_of(value: Any) -> bytes | None:
    """Return bytes that differ where values differ, or parts of theirs in type or order; None for what is not of built-in types alone."""
    try:
        return marshal.dumps(value, NO_REFERENCES)
    except (ValueError, RecursionError):
        return None
