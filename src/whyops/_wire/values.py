"""What stands in an event, as the type that it should have: whatever else stands there is taken as nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_NEITHER = frozenset({type(None), str, int, float, bool})
"""Types that are neither an object nor an array: told at once, as an abstract class takes a while to be asked."""


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is an object, else an empty one."""
    kind = type(value)
    return value if kind is dict or (kind not in _NEITHER and isinstance(value, Mapping)) else {}  # type: ignore[return-value]  # told


def as_sequence(value: object) -> Sequence[object]:
    """Return the value if it is an array, else an empty one."""
    kind = type(value)
    if kind is list or kind in _NEITHER:
        return value if kind is list else ()  # type: ignore[return-value]  # told by its type
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def as_text(value: object) -> str | None:
    """Return the value if it is text and not empty, else None."""
    return value if value and isinstance(value, str) else None
