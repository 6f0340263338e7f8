"""One recorded event as an object. Nothing here raises, whatever a client has put into an event."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property

_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True)
class Usage:
    """Token counts of one model call, or of several together. `prompt` does not include the cached ones."""

    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    unsplit: int = 0
    """Tokens of calls that told only their total."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cache_read + other.cache_read,
            self.cache_creation + other.cache_creation,
            self.unsplit + other.unsplit,
        )

    def __bool__(self) -> bool:
        return self != Usage()

    @property
    def total(self) -> int:
        """All tokens, cached ones included."""
        return self.prompt + self.completion + self.cache_read + self.cache_creation + self.unsplit

    @classmethod
    def of(cls, value: object) -> Usage:
        """Read `metadata.usage`; what is no count is left out."""
        usage = as_mapping(value)
        names = ("promptTokens", "completionTokens", "cacheReadTokens", "cacheCreationTokens")
        split = cls(*(_count(usage.get(name)) for name in names))
        return split or cls(unsplit=_count(usage.get("totalTokens")))


@dataclass(frozen=True)
class RecordedEvent:
    """One event of a trace. `raw` is the event as it was recorded; all else is read from it."""

    raw: Mapping[str, object]

    @cached_property
    def type(self) -> str:
        """What happened: one of the nine event types, or another client's word."""
        return as_text(self.raw.get("eventType")) or "unknown"

    @cached_property
    def at(self) -> int | None:
        """When, in microseconds since 1970."""
        return microseconds(self.raw.get("timestamp"))

    @cached_property
    def span_id(self) -> str | None:
        """The span that pairs a request with its response."""
        return as_text(self.raw.get("spanId"))

    @cached_property
    def parent_span_id(self) -> str | None:
        """The span within which this happened."""
        return as_text(self.metadata.get("parentSpanId"))

    @cached_property
    def process(self) -> str | None:
        """What tells the recording process from others: the key's part before the dash."""
        process, dash, _ = (as_text(self.raw.get("idempotencyKey")) or "").partition("-")
        return process if process and dash else None

    @property
    def content(self) -> object:
        """The event's content, in the form its type has."""
        return self.raw.get("content")

    @cached_property
    def metadata(self) -> Mapping[str, object]:
        """The event's metadata."""
        return as_mapping(self.raw.get("metadata"))

    @cached_property
    def fields(self) -> Mapping[str, object]:
        """The content, if it is an object; else empty."""
        return as_mapping(self.content)

    @cached_property
    def latency_ms(self) -> float | None:
        """How long it took: the exact time if it was recorded, else the whole milliseconds."""
        for name in ("durationMs", "latencyMs"):
            value = self.metadata.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
                return float(value) if value < 2**53 else None
        return None

    @cached_property
    def usage(self) -> Usage:
        """The tokens that were used."""
        return Usage.of(self.metadata.get("usage"))

    @cached_property
    def truncated(self) -> int:
        """How many values were cut when this was recorded."""
        return _marks(self.metadata.get("truncated"))

    @cached_property
    def redacted(self) -> int:
        """How many values were taken out because they may be secret."""
        return _marks(self.metadata.get("redacted"))


def microseconds(timestamp: object) -> int | None:
    """Return a time in microseconds since 1970, from ISO 8601 in UTC with a `Z`."""
    found = _TIMESTAMP.fullmatch(timestamp) if isinstance(timestamp, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        since = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc) - _EPOCH
    except ValueError:
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + int((found[7] or "0")[:6].ljust(6, "0"))


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else _NOTHING


def as_sequence(value: object) -> Sequence[object]:
    """Return the value if it is an array, else an empty one."""
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def as_text(value: object) -> str | None:
    """Return the value if it is text and not empty, else None."""
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def _marks(value: object) -> int:
    """Read a mark that says how many, which ones, or only that."""
    if isinstance(value, bool):
        return int(value)
    return _count(value) or len(as_sequence(value)) or len(as_mapping(value))
