"""What stands in an event, as the type that it should have: whatever else stands there is taken as nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is an object, else an empty one."""
    if type(value) is dict:
        return value
    return value if value is not None and isinstance(value, Mapping) else {}


def as_sequence(value: object) -> Sequence[object]:
    """Return the value if it is an array, else an empty one."""
    if type(value) is list:
        return value
    return value if value is not None and not isinstance(value, (str, bytes)) and isinstance(value, Sequence) else ()


def as_text(value: object) -> str | None:
    """Return the value if it is text and not empty, else None."""
    return value if isinstance(value, str) and value else None


def sqlite_text(text: str) -> str:
    """Return text as SQLite accepts it: a lone surrogate becomes its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
