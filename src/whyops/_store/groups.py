"""Many items → groups that are small enough for one transaction or one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def groups(items: Iterable[T], size_of: Callable[[T], int], most: int, most_bytes: int) -> Iterator[list[T]]:
    """Cut into groups of at most so many items and, but for a single larger one, so many bytes."""
    group: list[T] = []
    size = 0
    for item in items:
        length = size_of(item)
        if group and (len(group) == most or size + length > most_bytes):
            yield group
            group, size = [], 0
        group.append(item)
        size += length
    if group:
        yield group
