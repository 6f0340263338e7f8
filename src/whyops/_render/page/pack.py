"""What the page shows → an index that a browser reads at once, and lines of JSON that it reads one by one, when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .data import TracePage
from .exact import inert, inert_event

Data = dict[str, Any]

_NAMED = ("kind", "name", "who")
_NUMBERS = ("parent", "depth", "at", "to")
_RARE = ("ms", "tokens", "users")
_MARKS = ("failed", "open")


def packed(pages: Sequence[TracePage]) -> tuple[Data, Iterator[str]]:
    """Return the index and the lines: of each trace one for each step, then for each event, then for each message of prompts."""
    columns = [_Columns(page) for page in pages]
    return {"traces": [own.index() for own in columns]}, (line for own in columns for line in own.lines())


class _Columns:
    """One trace's steps by columns: names by their places in a list of them, and what few steps have by the steps' places."""

    def __init__(self, page: TracePage) -> None:
        self._page = page
        self._users: dict[str, None] = {}
        self._numbers: dict[str, list[Any]] = {name: [] for name in (*_NUMBERS, *_RARE)}
        self._places: dict[str, list[int]] = {name: [] for name in (*_NAMED, *_MARKS)}
        self._names: dict[str, dict[object, int]] = {name: {} for name in _NAMED}
        self._lines = [self._line(place, step) for place, step in enumerate(page.steps())]

    def index(self) -> Data:
        """Return what is read at once."""
        counts = {"steps": len(self._lines), "events": len(self._page.trace.events), "messages": len(self._page.messages)}
        columns = {**self._numbers, **self._places, **{f"{name}s": list(names) for name, names in self._names.items()}}
        return {**self._page.facts(), "counts": counts, "columns": columns, "users": list(self._users)}

    def lines(self) -> Iterator[str]:
        """Yield what is read when it is looked at."""
        yield from self._lines
        yield from map(inert_event, self._page.trace.events)
        yield from map(inert, self._page.messages)

    def _line(self, place: int, step: Data) -> str:
        """Take what a step has of the columns, and return the rest of it."""
        for name, numbers in self._numbers.items():
            numbers.append(step.pop(name, None))
        for name, names in self._names.items():
            self._places[name].append(names.setdefault(step.pop(name, None), len(names)))
        if users := self._numbers["users"][-1]:
            self._users.update(dict.fromkeys(users))
        if "open" in step:
            self._places["open"].append(place)
        if step.pop("failed", None):
            self._places["failed"].append(place)
        return inert(step)
