"""Lines of the store → events whose contents are read when they are asked for, and may be let go again.

Contents are most of a long trace, and most of what is told of it is told without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from .objects import objects_in
from .once import once
from .read import RecordedEvent, decode

_CONTENT, _METADATA = ',"content":', ',"metadata":{'
_CONTENT_BYTES, _METADATA_BYTES = _CONTENT.encode(), _METADATA.encode()
_OURS = frozenset(
    {"agentName", "eventType", "externalUserId", "idempotencyKey", "metadata", "parentStepId", "spanId", "stepId", "timestamp", "traceId"}
)
"""What stands beside the content in a line that we write: the metadata behind it, all else before."""
_OF_CONTENT = ("_content", "fields", "messages", "prompt", "raw", "told", "tool_calls")
"""What holds something of the content."""
_read_value = json.JSONDecoder().raw_decode


class StoredEvent(RecordedEvent):
    """An event that reads its content from its line. `head` is all but the content."""

    def __init__(self, head: Mapping[str, object], line: bytes) -> None:
        super().__init__(head, line)
        del self.__dict__["raw"]

    @property
    def content(self) -> object:
        """The event's content, in the form its type has."""
        return self._content

    @once
    def _content(self) -> object:
        try:
            line = self.line.decode()
            value, end = _read_value(line, line.index(_CONTENT) + len(_CONTENT))
            if line.startswith(_METADATA, end):
                return value
        except (ValueError, RecursionError):
            pass
        return self.raw.get("content")  # no client of ours has written that

    @once
    def raw(self) -> Mapping[str, object]:  # pyright: ignore[reportIncompatibleVariableOverride]  (a field there, read late here)
        """The event as it was recorded."""
        return decode(self.line) or {}

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, RecordedEvent) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as that of an event that has been read whole

    def __repr__(self) -> str:
        return f"{RecordedEvent.__qualname__}(raw={self.raw!r})"

    def let_go(self) -> None:
        """Let go of what holds something of the content: it can be read again."""
        for name in _OF_CONTENT:
            self.__dict__.pop(name, None)


def stored_in(lines: Sequence[bytes]) -> list[RecordedEvent]:
    """Return the events in lines of the store, which were read whole before they were stored; what is no JSON object is left out.

    Of lines in the form that we write all but the contents is read here.
    """
    heads = list(map(_without_content, lines))
    return list(_events(lines, heads))


def _events(lines: Sequence[bytes], heads: Sequence[bytes]) -> Iterator[RecordedEvent]:
    for line, head, found in zip(lines, heads, objects_in(heads, decode), strict=True):
        if head is line:
            if found is not None:
                yield RecordedEvent(found, line)
        elif found is not None and type(found.get("metadata")) is dict and _OURS.issuperset(found):
            yield StoredEvent(found, line)
        elif (whole := decode(line)) is not None:  # what was cut out was no event's content, or not alone
            yield RecordedEvent(whole, line)


def _without_content(line: bytes) -> bytes:
    """Return a line without its content, if it may be one of our own; any other as it is."""
    begin, end = line.find(_CONTENT_BYTES), line.rfind(_METADATA_BYTES)
    if begin < 0 or end < begin or line.find(b"{", 1, begin) > 0:
        return line
    return line[:begin] + line[end:]
