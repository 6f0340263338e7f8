"""What came of a program that goes on until it is stopped: its turns, each of which must be whole."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .shown import Shown, outline

PROGRAM = "tests/engines/programs/support.py"
CHILDREN = 5
"""So many spans a turn has, besides the one around them."""

_ONE = (Path(__file__).parent / "expected" / "support.txt").read_text("utf-8").partition("\nagent ")[0] + "\n"


def said(process: subprocess.Popen[str], count: int) -> Sequence[int]:
    """Return the numbers of the next turns, once they are recorded."""
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def by_number(spans: Iterable[Shown]) -> Mapping[int, Sequence[Shown]]:
    """Return the spans of each turn, by its number, which is in its question."""
    traces: dict[str, list[Shown]] = {}
    for span in spans:
        traces.setdefault(span.trace, []).append(span)
    return {number: turn for turn in traces.values() for number in [_number(turn)] if number is not None}


def check_whole(agent: str, numbers: Iterable[int], spans: Sequence[Shown]) -> None:
    """Check that each of these turns is there with all its spans, each once."""
    assert len({span.id for span in spans}) == len(spans)
    turns = by_number(spans)
    for number in numbers:
        expected = _ONE.replace("invoke_agent support", f"invoke_agent {agent}").replace("first", f"question {number}")
        assert outline(turns[number]) == expected


def check_children(numbers: Iterable[int], spans: Sequence[Shown]) -> None:
    """Check that each of these turns is there with all its spans but the one around them, each once."""
    assert len({span.id for span in spans}) == len(spans)
    turns = by_number(spans)
    assert {number: sum(span.parent is not None for span in turns[number]) for number in numbers} == dict.fromkeys(numbers, CHILDREN)


def _number(turn: Iterable[Shown]) -> int | None:
    asked = [message.text for span in turn for message in span.prompt if message.role == "user"]
    return int(asked[0].removeprefix("question ")) if asked else None
