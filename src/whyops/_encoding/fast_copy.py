"""Any object → a copy of plain types in one go, as long as nothing of it has to be cut, hidden or renamed.

This covers most of what tools return: rows with dates, dataclasses, models. Everything else is left to the `BoundedCopier`, which takes
several times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .class_fields import Hidden
from .readers import MAX_EXACT, NODE_COST, Attributes, CutText, Entries, Items, Marker, read

ENTRY_BYTES = 4
"""What an entry of a container takes in JSON, or a little less, beside a text's characters."""

_NEVER_WHOLE = (Items, Entries, CutText, Attributes, Hidden)
"""What a reader makes of an object that is not whole, or not for show as it is. Compared by identity: a metaclass may define equality."""


class NotCopiedError(Exception):
    """The value needs more than a copy: something of it has to be cut, hidden or renamed."""


class FastCopier:
    """Copies one value, for which there are `room` bytes. Secrets are not looked for: the caller does that in what comes out."""

    def __init__(self, room: int, is_plain_key: Callable[[str], bool]) -> None:
        self._room = room
        self._is_plain_key = is_plain_key

    def copy(self, value: Any, depth: int) -> Any:
        """Return a copy of dicts with text keys, lists, texts, numbers, booleans and None, of at most `depth` levels.

        Raises:
            NotCopiedError: something would have to be left out or changed. What reading an object raises is raised as well.
        """
        self._room -= ENTRY_BYTES
        kind = type(value)
        if kind is str:
            self._room -= len(value)
            if self._room < 0:
                raise NotCopiedError
            return value
        if value is None or kind is bool or (kind is float and value - value == 0) or (kind is int and -MAX_EXACT <= value <= MAX_EXACT):
            return value
        if not depth or self._room < 0:
            raise NotCopiedError
        if kind is not dict and kind is not list and kind is not tuple:
            return self._copy_read(read(value, self._room // NODE_COST + 1), depth)
        if len(value) * ENTRY_BYTES > self._room:
            raise NotCopiedError
        return self._dict(list(value.items()), depth) if kind is dict else self._list([*value], depth)

    def _copy_read(self, value: Any, depth: int) -> Any:
        """Copy what a reader made of an object."""
        kind = type(value)
        if kind is Marker:
            return self.copy(str.__str__(value), depth)
        if (kind is Items or kind is Entries) and len(value.items) == value.size:
            return self._list(value.items, depth) if kind is Items else self._dict(value.items, depth)
        if any(kind is each for each in _NEVER_WHOLE):
            raise NotCopiedError
        return self.copy(value, depth if kind is dict else depth - 1)

    def _list(self, items: Sequence[object], depth: int) -> list[Any]:
        return [self.copy(item, depth - 1) for item in items]

    def _dict(self, items: Sequence[tuple[object, object]], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in items:
            if type(key) is not str or not self._is_plain_key(key):
                raise NotCopiedError
            copied[key] = self.copy(item, depth - 1)
        if len(copied) < len(items):  # two came under the same key
            raise NotCopiedError
        return copied
