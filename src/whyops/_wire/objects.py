"""Many lines → the events that they hold, by the quickest reader that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .._encoding.core import json_reader
from .read import RecordedEvent, decode

ReadOne = Callable[[bytes], "dict[str, object] | None"]


class ReadLine(bytes):
    """A line that was read already, to see whether it is whole; `event` is what it holds, so that nobody has to read it once more."""

    event: dict[str, object]

    @classmethod
    def of(cls, line: bytes, event: dict[str, object]) -> ReadLine:
        """Keep a line with its event, which nobody changes."""
        made = cls(line)
        made.event = event
        return made


def objects_in(lines: Sequence[bytes], read_one: ReadOne) -> Iterator[dict[str, object] | None]:
    """Yield the object that each line holds; `read_one` reads what holds none, or is torn."""
    read = json_reader(sum(map(len, lines)))
    for line in lines:
        if type(line) is ReadLine:
            yield line.event
            continue
        try:
            found = read(line)
        except (ValueError, RecursionError):
            found = None
        yield found if type(found) is dict else read_one(line)


def recorded_in(lines: Sequence[bytes]) -> list[RecordedEvent]:
    """Return the events in lines, each with its line; what is no JSON object is left out."""
    return [RecordedEvent(event, line) for event, line in zip(objects_in(lines, decode), lines, strict=True) if event is not None]
