"""Providers' token counts → ours.

Ours, as the service's page adds them up: prompt + completion + cache read + cache creation = total, so `promptTokens` leaves out what
was read from or written to a cache. Who counts how:

| source                          | prompt count | cached tokens are              |
| ours, Bedrock                   | promptTokens, inputTokens | beside it         |
| Anthropic                       | input_tokens | beside it                      |
| OpenAI chat, LiteLLM            | prompt_tokens | in it: prompt_tokens_details  |
| OpenAI responses                | input_tokens | in it: input_tokens_details    |
| LangChain `usage_metadata`      | input_tokens | in it: input_token_details     |
| Google                          | prompt_token_count | in it                    |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import SupportsFloat, cast

from .._encoding.class_fields import defines, fields, instance_dict
from .._encoding.redaction.regex import Pattern
from .._runtime.safely import Failed, safely

MAX_COUNT = 2**31 - 1
"""The highest count and latency that the service stores."""

_NUMERIC = frozenset({"__float__", "__index__"})
_SNAKE = Pattern(r"(?<=[a-z0-9])(?=[A-Z])")


Counts = Mapping[str, object]


def whole(value: object) -> int | None:
    """Return the number as the service takes it, rounded and between 0 and 2³¹-1; None if it is no number."""
    kind = type(value)
    number = value if kind is int or kind is float else safely(_number, value)
    if number is None or isinstance(number, Failed) or number != number:  # noqa: PLR0124 - NaN
        return None
    return round(min(max(cast("float", number), 0), MAX_COUNT))


def _number(value: object) -> float | None:
    kind = type(value)
    if kind is bool or issubclass(kind, (str, bytes, bytearray)) or not defines(kind, _NUMERIC):
        return None
    return float(cast("SupportsFloat", value))


def token_usage(value: object) -> dict[str, int] | None:
    """Return the counts as whole numbers under our names; what is unknown is left out, and None means that nothing is known.

    `value` is a dict, or the provider's object as it is; also what holds one under `usage`, `usage_metadata` or `token_usage`.
    """
    counts = safely(_token_usage, value)
    return None if isinstance(counts, Failed) else counts


def _token_usage(value: object) -> dict[str, int] | None:
    given = _read(value)
    for inner in ("usage", "usage_metadata", "usageMetadata", "token_usage"):
        if inner in given and not any(key.endswith(("_tokens", "_token_count")) for key in given):
            given = _read(given[inner])
    known = {name: count for name, count in _counts(given).items() if count is not None}
    if not known:
        return None
    if "totalTokens" not in known and "promptTokens" in known and "completionTokens" in known:
        known["totalTokens"] = sum(known.values())
    return {name: min(known[name], MAX_COUNT) for name in COUNTS if name in known}


COUNTS = ("promptTokens", "completionTokens", "totalTokens", "cacheReadTokens", "cacheCreationTokens")


def _read(value: object) -> dict[str, object]:
    """Return the counts that a dict or an object holds, under snake-case names."""
    if issubclass(type(value), Mapping):
        found: Iterable[tuple[object, object]] = cast("Mapping[object, object]", value).items()
    elif instance_dict(value) is not None or not hasattr(type(value), "DESCRIPTOR"):
        found = fields(value).items()
    else:  # a protobuf message, as Google's older client gives: its fields are found by name only
        found = [(name, getattr(value, name, None)) for name in _GOOGLE]
    return {_SNAKE.sub("_", name).lower(): each for name, each in found if isinstance(name, str) and each is not None}


_GOOGLE = (
    "prompt_token_count",
    "cached_content_token_count",
    "candidates_token_count",
    "thoughts_token_count",
    "tool_use_prompt_token_count",
    "total_token_count",
)


def _counts(given: Counts) -> dict[str, int | None]:
    if any(name in given for name in _GOOGLE):
        return _google(given)
    details = given.get("prompt_tokens_details") or given.get("input_tokens_details") or given.get("input_token_details")
    inside = _cached(_read(details)) if details is not None else (None, None)
    read, created = (count if count is not None else beside for count, beside in zip(inside, _cached(given), strict=True))
    prompt = _first(given, "prompt_tokens", "input_tokens")
    # Our own camel-case names and OpenAI's snake-case ones are the same here: what tells them is where the cached tokens stand.
    if "cache_read_tokens" not in given and "cache_creation_tokens" not in given and (details is not None or "prompt_tokens" in given):
        prompt = _less(prompt, read, created)
    return {
        "promptTokens": prompt,
        "completionTokens": _first(given, "completion_tokens", "output_tokens"),
        "totalTokens": _first(given, "total_tokens"),
        "cacheReadTokens": read,
        "cacheCreationTokens": created,
    }


def _google(given: Counts) -> dict[str, int | None]:
    read = _first(given, "cached_content_token_count")
    return {
        "promptTokens": _sum(_less(_first(given, "prompt_token_count"), read), _first(given, "tool_use_prompt_token_count")),
        "completionTokens": _sum(_first(given, "candidates_token_count", "response_token_count"), _first(given, "thoughts_token_count")),
        "totalTokens": _first(given, "total_token_count"),
        "cacheReadTokens": read,
        "cacheCreationTokens": None,
    }


def _cached(given: Counts) -> tuple[int | None, int | None]:
    """Return the tokens read from a cache, and those written to one."""
    plain = {name.removeprefix("priority_").removeprefix("flex_"): count for name, count in given.items()}  # tiers of OpenAI's service
    read = _first(
        plain,
        "cache_read_tokens",
        "cached_tokens",
        "cache_read",
        "cache_read_input_tokens",
        "prompt_cache_hit_tokens",
        "cached_input_tokens",
    )
    created = _first(
        plain,
        "cache_creation_tokens",
        "cache_write_tokens",
        "cache_creation_input_tokens",
        "cache_write_input_tokens",
        "cache_creation",
    )
    by_lifetime = _lifetimes(plain)
    if not created and (nested := plain.get("cache_creation")) is not None and whole(nested) is None:
        by_lifetime = _sum(by_lifetime, _lifetimes(_read(nested)))
    return read, created or (by_lifetime if by_lifetime is not None else created)


def _lifetimes(given: Counts) -> int | None:
    """Add up Anthropic's cache writes, which it counts apart by how long they last."""
    return _sum(*(whole(count) for name, count in given.items() if name.startswith("ephemeral_")))


def _first(given: Counts, *names: str) -> int | None:
    return next((count for name in names if (count := whole(given.get(name))) is not None), None)


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _less(count: int | None, *parts: int | None) -> int | None:
    return None if count is None else max(count - sum(part or 0 for part in parts), 0)
