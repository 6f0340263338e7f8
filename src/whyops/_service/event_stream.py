"""A body of server-sent events → what each of them holds. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple


class StreamEvent(NamedTuple):
    """What an event holds, as JSON, and when it came, in nanoseconds of the steady clock."""

    data: dict[str, Any]
    at: int | None


def read_events(content: bytes, marks: Sequence[tuple[int, int]]) -> list[StreamEvent]:
    """Return the events of a body that hold an object; what is no JSON, as the mark of an end, is passed over.

    `marks` are how many bytes had come at which time. Where the content was compressed, the times are not exact.
    """
    found: list[StreamEvent] = []
    passed, mark = 0, 0
    data: list[bytes] = []
    for line in content.splitlines(keepends=True):
        passed += len(line)
        text = line.rstrip(b"\r\n")
        if text.startswith(b"data:"):
            data.append(text[5:].removeprefix(b" "))
        elif not text and data:
            while mark < len(marks) - 1 and marks[mark][0] < passed:
                mark += 1
            _add(found, data, marks[mark][1] if marks else None)
            data = []
    return found


def _add(found: list[StreamEvent], data: list[bytes], at: int | None) -> None:
    try:
        held = json.loads(b"\n".join(data))
    except ValueError:
        return
    if isinstance(held, dict):
        found.append(StreamEvent(held, at))
