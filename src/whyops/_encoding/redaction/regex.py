"""Regular expressions: those that find a secret, and the quick ones that rule out that most texts contain one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator

from ..core import core

Span = tuple[int, int]
"""Where something begins and ends in a text."""


class Pattern:
    """What `re.compile` returns, with those of its methods that are needed here. Compiled when it is first used.

    Compiling all that redaction knows would take as long as importing it.
    """

    __slots__ = ("_compiled", "_expression", "_flags")

    def __init__(self, expression: str, flags: int = 0) -> None:
        self._expression = expression
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Find the first match."""
        return (self._compiled or self._compile()).search(text, start)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Match the text from `start` on, as if it ended at `end`."""
        return (self._compiled or self._compile()).match(text, start, end)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Match the whole text."""
        return (self._compiled or self._compile()).fullmatch(text)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Find all matches, one after the other."""
        return (self._compiled or self._compile()).finditer(text, start, end)

    def end(self, text: str, start: int = 0, end: int = sys.maxsize) -> int:
        """Return where the match that begins at `start` ends; `start`, if nothing matches."""
        found = self.match(text, start, end)
        return found.end() if found else start

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Replace all matches."""
        return (self._compiled or self._compile()).sub(replacement, text)

    def _compile(self) -> re.Pattern[str]:
        self._compiled = re.compile(self._expression, self._flags)  # by two threads at once, if need be: a lock would outlive a fork
        return self._compiled


def prefilter(expression: str) -> Callable[[str], bool]:
    """Return a function that tells whether the expression matches somewhere in a text.

    These are pydantic-core's regular expressions: however much they look for, they look at each character once, at a fifth of the cost of
    Python's. They have no look-around, and find nothing in a text with a lone surrogate. In an expression of many parts, no part may match
    a long stretch (`.*`, `{20}`) after something that most texts contain: each such part doubles the states, and their number is limited.
    """
    matches_in: Callable[[str], bool] = core().SchemaValidator({"type": "str", "pattern": expression}).isinstance_python
    return matches_in


class Finder:
    """Finds the secrets of one kind in a text.

    `prefilter` is an expression for the function of that name: a well-formed text in which it matches nothing has none of them. `example`
    is a made-up text with one. `is_covered` means that the prefilter of another kind matches such a text, too.
    """

    __slots__ = ("_find", "_may_have", "example", "is_covered", "prefilter")

    def __init__(self, example: str, prefilter: str, find: Callable[[str], Iterable[Span]], *, is_covered: bool = False) -> None:
        self.example = example
        self.prefilter = prefilter
        self.is_covered = is_covered
        self._find = find
        self._may_have: Callable[[str], bool] | None = None

    def find(self, text: str, *, can_filter: bool) -> Iterable[Span]:
        """Find them. `can_filter` tells whether the text is well-formed."""
        if self._may_have is None:
            self._may_have = prefilter(self.prefilter)  # by two threads at once, if need be: a lock would outlive a fork
        return self._find(text) if self._may_have(text) or not can_filter else ()


def matches(pattern: Pattern, keep: Callable[[re.Match[str]], object] = bool) -> Callable[[str], Iterator[Span]]:
    """Return a search for a pattern's last group, or the whole match if it has no group; `keep` decides which matches count."""
    return lambda text: (found.span(found.lastindex or 0) for found in pattern.finditer(text) if keep(found))


def occurrences(word: str, text: str) -> Iterator[Span]:
    """Find a word in a text, whatever stands beside it."""
    at = text.find(word)
    while at >= 0:
        yield at, at + len(word)
        at = text.find(word, at + len(word))


def is_well_formed(text: str) -> bool:
    """Tell whether a text can be encoded: one with a lone surrogate can't, and no prefilter finds anything in it."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
