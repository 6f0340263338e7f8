"""The tokens that an event says were used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .usage import COUNTS, MAX_COUNT, token_usage


@dataclass(frozen=True)
class Usage:
    """Token counts of one model call, or of several together. `prompt` does not include the cached ones."""

    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    unsplit: int = 0
    """Tokens that only a total tells of: nobody said of which kind they are."""

    def __add__(self, other: Usage) -> Usage:
        if other is NO_USAGE:
            return self
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cache_read + other.cache_read,
            self.cache_creation + other.cache_creation,
            self.unsplit + other.unsplit,
        )

    def __bool__(self) -> bool:
        return bool(self.prompt or self.completion or self.cache_read or self.cache_creation or self.unsplit)

    @property
    def total(self) -> int:
        """All tokens, cached ones included."""
        return self.prompt + self.completion + self.cache_read + self.cache_creation + self.unsplit

    @property
    def given(self) -> int:
        """All tokens but those that the model wrote."""
        return self.total - self.completion

    @classmethod
    def of(cls, value: object) -> Usage:
        """Read `metadata.usage`; what is no count is left out. Writes to a cache count once, told apart or not."""
        if value is None:  # of most events
            return NO_USAGE
        usage: Mapping[str, object] = value if isinstance(value, Mapping) else {}
        prompt, completion, total, read, short, long, together = (count_of(usage.get(name)) for name in COUNTS)
        written = max(together, short + long)
        return cls(prompt, completion, read, written, max(total - prompt - completion - read - written, 0))

    @classmethod
    def of_proxy(cls, value: object) -> Usage:
        """Read what the WhyOps proxy makes of a provider's counts.

        OpenAI's prompt count includes the cached tokens, which their total tells; an embedding's counts have OpenAI's names.
        """
        if value is None:
            return NO_USAGE
        usage: Mapping[str, object] = value if isinstance(value, Mapping) else {}
        used = cls.of(usage if any(name in usage for name in COUNTS) else token_usage(usage))
        cached = used.cache_read + used.cache_creation
        is_inside = count_of(usage.get("totalTokens")) == used.prompt + used.completion and cached <= used.prompt
        return replace(used, prompt=used.prompt - cached) if is_inside else used


NO_USAGE = Usage()


def summed(used: Iterable[Usage]) -> Usage:
    """Add up counts, of which most are none."""
    total = NO_USAGE
    for one in used:
        if one is not NO_USAGE:
            total += one
    return total


def count_of(value: object) -> int:
    """Read a count as far as the service stores it; what is none is 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else 0
