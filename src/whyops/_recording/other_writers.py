"""The writers of one trace beside its own: those of later blocks, and of what is told elsewhere than in a block."""

from __future__ import annotations

from typing import Generic, TypeVar

W = TypeVar("W")


class OtherWriters(Generic[W]):
    """What a trace has beyond one writer: `outside` writes what is told outside of its blocks.

    `within` is a block of another writer for the same trace, and what writes in its turn. `listening` are those that hear of what concerns
    all. `traceparent` is the application's own span around a block, until its first event tells it.
    """

    __slots__ = ("listening", "outside", "traceparent", "within")

    def __init__(self) -> None:
        self.listening: dict[W, None] = {}
        self.outside: W | None = None
        self.within: tuple[W, W] | None = None
        self.traceparent: str | None = None

    def listen(self, writer: W) -> W:
        """Have a writer hear of what concerns all. Return it."""
        self.listening[writer] = None
        return writer

    def forget(self, writer: W) -> None:
        """Let one go."""
        self.listening.pop(writer, None)
        if self.within is not None and self.within[1] is writer:
            self.within = None
