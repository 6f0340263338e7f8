"""Quick searches: what a whole text is looked through for, on every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

Span = tuple[int, int]


def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has the pattern in it.

    These are pydantic-core's regular expressions: however much they look for, they look at each character once, at a fifth of what Python's
    cost. They know no look-around, and find nothing in a text with a lone surrogate. In a pattern of many parts none may go on for long
    from what is in most texts (`.*`, `{20}`): each such part makes twice as many states, and only so many of them are kept.
    """
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415 - `import whyops` does not pay for it

    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python


class Finder:
    """Finds spans of one kind in a text. `trace` is a pattern for `searcher`: a well-formed text without it has none of them.

    `is_covered` says that what is in such a text is in the trace of another kind, too.
    """

    __slots__ = ("_find", "_has_trace", "is_covered", "trace")

    def __init__(self, trace: str, find: Callable[[str], Iterable[Span]], *, is_covered: bool = False) -> None:
        self.trace = trace
        self.is_covered = is_covered
        self._find = find
        self._has_trace: Callable[[str], bool] | None = None

    def find(self, text: str, *, is_well_formed: bool) -> Iterator[Span]:
        """Find them."""
        if self._has_trace is None:
            self._has_trace = searcher(self.trace)  # by two threads at once, if need be: a lock would outlive a fork
        if self._has_trace(text) or not is_well_formed:
            yield from self._find(text)
