"""Counts what Python's regular expressions do: the steps of an engine that tries one way after the other, as `re` does.

`re` tells nobody how long it searched, and a clock is no proof. So each search is made a second time, step by step, over the tree that
`re`'s own parser makes of the expression; where it finds something else than `re`, the count is worth nothing, and that is an error.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from whyops._encoding.redaction.regex import Pattern

if sys.version_info >= (3, 11):
    from re import _constants as ops  # type: ignore[attr-defined]
    from re import _parser as parser
else:
    import sre_constants as ops
    import sre_parse as parser

Step = Callable[[int, Callable[[int], bool]], bool]
"""Matches from a position on, and calls what comes after it with where that ended."""


class Counter:
    """Steps made so far."""

    def __init__(self) -> None:
        self.steps = 0


class Counted:
    """What `re.compile` returns, with each search counted."""

    def __init__(self, expression: str, flags: int, counter: Counter) -> None:
        self._real = re.compile(expression, flags)
        self._tree = parser.parse(expression, flags)
        self._counter = counter
        self._engine = _Engine(counter)
        self._step = self._engine.sequence(list(self._tree), self._real.flags)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Match at one place."""
        found = self._real.match(text, start, end)
        self._check(text, start, end, found)
        return found

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Match as a whole; counted as a match, which does no less."""
        self._attempt(text, 0, len(text))
        return self._real.fullmatch(text)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Try one place after the other."""
        found = self._real.search(text, start, end)
        last = found.start() if found else min(end, len(text))
        for at in range(start, last):
            self._counter.steps += 1
            assert self._attempt(text, at, end) is None
        if found:
            self._check(text, last, end, found)
        return found

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Search on from where the last one ended."""
        while found := self.search(text, start, end):
            yield found
            start = found.end() + (found.end() == found.start())
            if start > len(text):
                return

    def sub(self, replacement: Any, text: str) -> str:
        """Count the searches that replacing takes."""
        for _ in self.finditer(text):
            pass
        return self._real.sub(replacement, text)

    def subn(self, replacement: Any, text: str) -> tuple[str, int]:
        """Count the searches that replacing takes."""
        for _ in self.finditer(text):
            pass
        return self._real.subn(replacement, text)

    def _check(self, text: str, at: int, end: int, found: re.Match[str] | None) -> None:
        assert self._attempt(text, at, end) == (found.end() if found else None), self._real.pattern

    def _attempt(self, text: str, at: int, end: int) -> int | None:
        """Return where a match at this place ends, having counted what that takes."""
        ended: list[int] = []
        self._engine.text, self._engine.end = text, min(end, len(text))
        self._step(at, lambda position: not ended.append(position))  # type: ignore[func-returns-value]
        return ended[0] if ended else None


class _Engine:
    """Walks the tree of an expression over a text, up to its end."""

    def __init__(self, counter: Counter) -> None:
        self.text = ""
        self.end = 0
        self._counter = counter
        self._groups: dict[int, tuple[int, int]] = {}

    def sequence(self, nodes: list[Any], flags: int) -> Step:
        """Match one node after the other."""
        if not nodes:
            return lambda at, then: then(at)
        first, rest = self._node(*nodes[0], flags), nodes[1:]
        if not rest:
            return first
        following: list[Step] = []

        def step(at: int, then: Callable[[int], bool]) -> bool:
            if not following:
                following.append(self.sequence(rest, flags))
            return first(at, lambda position: following[0](position, then))

        return step

    def _node(self, op: Any, argument: Any, flags: int) -> Step:
        if op in {ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY}:
            return self._one(_fits(op, argument, flags))
        if op is ops.BRANCH:
            return self._branch([list(each) for each in argument[1]], flags)
        if op is ops.SUBPATTERN:
            group, added, removed, nodes = argument
            return self._group(group, self.sequence(list(nodes), (flags | added) & ~removed))
        if op in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
            return self._repeat(op is ops.MIN_REPEAT, *argument[:2], list(argument[2]), flags)
        if op in {ops.ASSERT, ops.ASSERT_NOT}:
            return self._look(op is ops.ASSERT, argument[0], list(argument[1]), flags)
        if op is ops.AT:
            return self._at(argument, flags)
        if op is ops.GROUPREF:
            return self._again(argument)
        raise NotImplementedError(op)

    def _one(self, fits: Callable[[str], bool]) -> Step:
        def step(at: int, then: Callable[[int], bool]) -> bool:
            self._counter.steps += 1
            return at < self.end and fits(self.text[at]) and then(at + 1)

        return step

    def _branch(self, ways: list[list[Any]], flags: int) -> Step:
        made: dict[int, Step] = {}

        def step(at: int, then: Callable[[int], bool]) -> bool:
            for number, way in enumerate(ways):
                self._counter.steps += 1
                known = way and way[0][0] in {ops.LITERAL, ops.IN}  # as `re` does: by its first character
                if known and (at >= self.end or not _fits(*way[0], flags)(self.text[at])):
                    continue
                if number not in made:
                    made[number] = self.sequence(way, flags)
                if made[number](at, then):
                    return True
            return False

        return step

    def _group(self, group: int | None, inner: Step) -> Step:
        if group is None:
            return inner

        def step(at: int, then: Callable[[int], bool]) -> bool:
            def after(position: int) -> bool:
                self._groups[group] = (at, position)
                return then(position)

            return inner(at, after)

        return step

    def _repeat(self, lazy: bool, least: int, most: int, nodes: list[Any], flags: int) -> Step:  # noqa: FBT001  (as the tree has it)
        most = sys.maxsize if most is ops.MAXREPEAT else int(most)
        if len(nodes) == 1 and nodes[0][0] in {ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY} and not lazy:
            return self._run(_fits(*nodes[0], flags), least, most)
        inner = self.sequence(nodes, flags)

        def times(count: int, at: int, then: Callable[[int], bool]) -> bool:
            self._counter.steps += 1

            def more() -> bool:
                return count < most and inner(at, lambda position: (position > at or count < least) and times(count + 1, position, then))

            if count < least:
                return more()
            return (then(at) or more()) if lazy else (more() or then(at))

        return lambda at, then: times(0, at, then)

    def _run(self, fits: Callable[[str], bool], least: int, most: int) -> Step:
        def step(at: int, then: Callable[[int], bool]) -> bool:
            stop, limit = at, min(self.end, at + most)
            while stop < limit and fits(self.text[stop]):
                stop += 1
            self._counter.steps += stop - at + 1
            for position in range(stop, at + least - 1, -1):
                self._counter.steps += 1
                if then(position):
                    return True
            return False

        return step

    def _look(self, wanted: bool, direction: int, nodes: list[Any], flags: int) -> Step:  # noqa: FBT001  (as the tree has it)
        inner = self.sequence(nodes, flags)
        width = 0 if direction > 0 else _width(nodes)

        def step(at: int, then: Callable[[int], bool]) -> bool:
            self._counter.steps += 1
            seen = at - width >= 0 and inner(at - width, lambda _: True)
            return seen is wanted and then(at)

        return step

    def _at(self, where: Any, flags: int) -> Step:
        def holds(at: int) -> bool:
            if where is ops.AT_END_STRING:
                return at == self.end
            if where is ops.AT_BEGINNING:
                return at == 0 or bool(flags & re.MULTILINE and self.text[at - 1] == "\n")
            if where is ops.AT_END:
                return at == self.end or (self.text[at] == "\n" and bool(flags & re.MULTILINE or at == self.end - 1))
            raise NotImplementedError(where)

        def step(at: int, then: Callable[[int], bool]) -> bool:
            self._counter.steps += 1
            return holds(at) and then(at)

        return step

    def _again(self, group: int) -> Step:
        def step(at: int, then: Callable[[int], bool]) -> bool:
            start, stop = self._groups[group]
            self._counter.steps += stop - start + 1
            return self.text.startswith(self.text[start:stop], at, self.end) and then(at + stop - start)

        return step


_FITS: dict[tuple[Any, ...], Callable[[str], bool]] = {}


def _fits(op: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    """Return what tells whether one character fits a node; `re` itself says so."""
    flags &= re.IGNORECASE | re.ASCII | re.DOTALL
    key = (op, str(argument), flags)
    if key not in _FITS:
        known: dict[str, bool] = {}
        pattern = re.compile(_written(op, argument), flags)

        def fits(character: str) -> bool:
            if character not in known:
                known[character] = pattern.fullmatch(character) is not None
            return known[character]

        _FITS[key] = fits
    return _FITS[key]


def _written(op: Any, argument: Any) -> str:
    """Write a node that stands for one character as an expression again."""
    if op is ops.ANY:
        return "."
    if op is ops.LITERAL:
        return re.escape(chr(argument))
    if op is ops.NOT_LITERAL:
        return f"[^{re.escape(chr(argument))}]"
    return f"[{''.join(map(_written_item, argument))}]"


_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}


def _written_item(item: tuple[Any, Any]) -> str:
    op, argument = item
    if op is ops.NEGATE:
        return "^"
    if op is ops.CATEGORY:
        return _CATEGORIES[argument]
    if op is ops.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return re.escape(chr(argument))


def _width(nodes: list[Any]) -> int:
    """Return how many characters a look behind looks at."""
    total = 0
    for op, argument in nodes:
        if op is ops.BRANCH:
            total += _width(list(argument[1][0]))
        elif op is ops.SUBPATTERN:
            total += _width(list(argument[3]))
        elif op is not ops.AT:
            total += 1
    return total


@contextmanager
def counted() -> Iterator[Counter]:
    """Count the steps of all searches of the package while this lasts."""
    counter = Counter()
    patterns = [each for each in gc.get_objects() if type(each) is Pattern]
    before = [(pattern, pattern._compiled) for pattern in patterns]
    compile_, limit = Pattern._compile, sys.getrecursionlimit()

    def counting(pattern: Pattern) -> Counted:
        pattern._compiled = Counted(pattern._expression, pattern._flags, counter)  # type: ignore[assignment]
        before.append((pattern, None))
        return pattern._compiled  # type: ignore[return-value]

    sys.setrecursionlimit(200_000)
    Pattern._compile = counting  # type: ignore[assignment, method-assign]
    for pattern in patterns:
        pattern._compiled = None
    try:
        yield counter
    finally:
        Pattern._compile = compile_  # type: ignore[method-assign]
        sys.setrecursionlimit(limit)
        for pattern, compiled in reversed(before):
            pattern._compiled = compiled
