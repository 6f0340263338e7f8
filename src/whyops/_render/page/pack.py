"""What the page shows → an index that a browser reads at once, and lines of JSON that it reads one by one, when they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Data = dict[str, Any]

_NAMED = ("kind", "name", "who")
_NUMBERS = ("parent", "depth", "at", "to")
_RARE = ("ms", "tokens", "users")
_MARKS = ("failed", "open")


def packed(data: Data) -> tuple[Data, list[Data]]:
    """Return the index and the lines: of each trace one for each step, then for each event, then for each message of prompts."""
    lines: list[Data] = []
    traces = []
    for trace in data["traces"]:
        steps = trace["steps"]
        own = {name: value for name, value in trace.items() if name not in ("steps", "events", "messages")}
        counts = {name: len(trace[name]) for name in ("steps", "events", "messages")}
        traces.append({**own, "counts": counts, "columns": _columns(steps), "users": _distinct(steps, "users")})
        lines += ({name: value for name, value in step.items() if name not in _INDEXED} for step in steps)
        lines += trace["events"]
        lines += trace["messages"]
    return {**data, "traces": traces}, lines


_INDEXED = frozenset((*_NAMED, *_NUMBERS, *_RARE, "failed"))


def _columns(steps: Sequence[Data]) -> Data:
    """Return the steps by columns: names by their places in a list of them, and what few steps have by the steps' places."""
    columns: Data = {name: [step[name] for step in steps] for name in _NUMBERS}
    for name in _NAMED:
        places: dict[object, int] = {}
        columns[name] = [places.setdefault(step.get(name), len(places)) for step in steps]
        columns[f"{name}s"] = list(places)
    for name in _RARE:
        columns[name] = [step.get(name) for step in steps]
    for name in _MARKS:
        columns[name] = [place for place, step in enumerate(steps) if name in step]
    return columns


def _distinct(steps: Iterable[Data], name: str) -> list[str]:
    return list(dict.fromkeys(value for step in steps for value in step.get(name, ())))
