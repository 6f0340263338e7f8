"""Many lines → which traces they are of, and which of these was active last, with few of them decoded.

A line of our own making begins with its trace and, soon after, its time. Any other line is decoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from .read import RecordedEvent, decode

_HEAD = re.compile(
    rb'\{"traceId":"([ !#-\[\]-~]+)","agentName":"[^"\\]*"(?:,"externalUserId":"[^"\\]*")?,"eventType":"\w+",'
    rb'"timestamp":"(2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z"'
)
_APART = timedelta(seconds=3)
"""More than the exact time of an event lies before the one that the service is told."""


class Latest:
    """The traces that lines are of, in the order in which they appear, and the times of those that were active last."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.ids: dict[str, None] = {}
        self._times: dict[str, int] = {}
        names: dict[bytes, None] = {}
        recent: list[tuple[bytes, bytes]] = []
        newest = since = b""
        for line in lines:
            found = _HEAD.match(line)
            if found is None:
                self._read(line)
                continue
            name, second = found.groups()
            if name not in names:
                names[name] = None
                self.ids[name.decode()] = None
            if second > newest:
                newest, since = second, _before(second)
                recent = [one for one in recent if one[0] >= since]
            if second >= since:
                recent.append((second, line))
        self._recent = [line for _, line in recent]

    def times(self) -> dict[str, int]:
        """Return when traces were active, in microseconds since 1970; those that certainly were not the last are missing."""
        for line in self._recent:
            self._read(line)
        self._recent = []
        return self._times

    def _read(self, line: bytes) -> None:
        event = RecordedEvent(decode(line) or {})
        if event.trace_id:
            self.ids[event.trace_id] = None
            self._times[event.trace_id] = max(self._times.get(event.trace_id, 0), event.at or 0)


def _before(second: bytes) -> bytes:
    try:
        return (datetime.fromisoformat(second.decode()) - _APART).isoformat().encode()
    except ValueError:  # no such day: then all that is not older is recent
        return b""


def is_of(trace_id: str) -> Callable[[bytes], bool]:
    """Return a function that tells whether a line is of a trace."""
    own = f'{{"traceId":{json.dumps(trace_id)},'.encode()

    def is_ours(line: bytes) -> bool:
        if line.startswith(own):
            return True
        return _HEAD.match(line) is None and RecordedEvent(decode(line) or {}).trace_id == trace_id

    return is_ours
