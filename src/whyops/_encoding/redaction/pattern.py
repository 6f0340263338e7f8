"""A regular expression that is compiled when it is first used. Compiling all that redaction knows would take as long as importing it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator

Replacement = str | Callable[[re.Match[str]], str]


class Pattern:
    """What `re.compile` returns, later: with those of its methods that are needed here."""

    __slots__ = ("_compiled", "_expression", "_flags")

    def __init__(self, expression: str, flags: int = 0) -> None:
        self._expression = expression
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Find the first place that fits."""
        return (self._compiled or self._compile()).search(text, start)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Tell whether the text fits from `start` on, as if it ended at `end`."""
        return (self._compiled or self._compile()).match(text, start, end)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Tell whether the text fits as a whole."""
        return (self._compiled or self._compile()).fullmatch(text)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Find all places that fit, one after the other."""
        return (self._compiled or self._compile()).finditer(text, start, end)

    def sub(self, replacement: Replacement, text: str) -> str:
        """Replace all that fits."""
        return (self._compiled or self._compile()).sub(replacement, text)

    def subn(self, replacement: Replacement, text: str) -> tuple[str, int]:
        """Replace all that fits; return the text, and how many places there were."""
        return (self._compiled or self._compile()).subn(replacement, text)

    def _compile(self) -> re.Pattern[str]:
        self._compiled = re.compile(self._expression, self._flags)  # by two threads at once, if need be: a lock would outlive a fork
        return self._compiled
