"""Providers' token counts → ours.

Ours, as the service's page adds them up: prompt + completion + cache read + cache writes = total, so `promptTokens` leaves out what
was read from or written to a cache. Who counts how:

| source                          | prompt count | cached tokens are              |
| ours, Bedrock                   | promptTokens, inputTokens | beside it         |
| Anthropic                       | input_tokens | beside it                      |
| OpenAI chat, LiteLLM            | prompt_tokens | in it: prompt_tokens_details  |
| OpenAI responses and agents     | input_tokens | in it: input_tokens_details    |
| Codex                           | input_tokens | in it: cached_input_tokens     |
| pydantic-ai                     | input_tokens | in it: cache_read_tokens       |
| LangChain `usage_metadata`      | input_tokens | in it: input_token_details     |
| Google                          | prompt_token_count | in it                    |

For all but ours, Bedrock's and Google's the source's own total goes before the table: it adds the cached tokens to the prompt's, or not.
Writes to a cache are told apart by how long they last, 5 minutes or an hour, where that is known: the prices differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import SupportsFloat, cast

from .._encoding.class_fields import defines, fields, instance_dict
from .._encoding.redaction.regex import Pattern
from .._runtime.safely import Failed, safely

MAX_COUNT = 2**31 - 1
"""The highest count and latency that the service stores."""

_INTEGERS = frozenset({int})
_NUMERIC = frozenset({"__float__", "__index__"})
_SNAKE = Pattern(r"(?<=[a-z0-9])(?=[A-Z])")


Counts = Mapping[str, object]


def whole(value: object) -> int | None:
    """Return the number as the service takes it, rounded and between 0 and 2³¹-1; None if it is no number."""
    if value is None:
        return None
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


COUNTS = (
    *("promptTokens", "completionTokens", "totalTokens", "cacheReadTokens"),
    *("cacheWrite5mTokens", "cacheWrite1hTokens", "cacheCreationTokens"),
)
"""Our names: first those of the three counts that nearly all providers tell.

`cacheCreationTokens` are writes to a cache of which nobody says how long they last."""

_USUAL = (
    dict.fromkeys(COUNTS[:3]).keys(),
    dict.fromkeys(("input_tokens", "output_tokens", "total_tokens")).keys(),
    dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens")).keys(),
)
"""What the counts of an answer are called that tell of no cache, in the order of ours: nothing of them needs to be worked out."""


def token_usage(value: object) -> dict[str, int] | None:
    """Return the counts as whole numbers under our names; what is unknown is left out, and None means that nothing is known.

    `value` is a dict, or the provider's object as it is; also what holds one under `usage`, `usage_metadata` or `token_usage`.
    """
    usual = _usual(value)
    if usual is None:
        usual = _usual_inside(value)
    if usual is not None:
        return usual
    counts = safely(_token_usage, value)
    return None if isinstance(counts, Failed) else counts


def _usual(value: object) -> dict[str, int] | None:
    """Return the three counts that nearly all providers tell, where a dict holds these and nothing else."""
    if type(value) is dict:
        for names in _USUAL:
            if value.keys() == names:
                counted = [value[name] for name in names]
                if _INTEGERS.issuperset(map(type, counted)) and min(counted) >= 0 and max(counted) <= MAX_COUNT:
                    return dict(zip(COUNTS, counted, strict=False))
    return None


def _usual_inside(value: object) -> dict[str, int] | None:
    """Return what `_usual` finds under `usage` in a dict that has no counts beside it."""
    if type(value) is not dict or "usage" not in value:
        return None
    beside = [name for name in value if type(name) is not str or name[-6:].lower().endswith(("tokens", "count"))]
    return None if beside else _usual(value["usage"])


def reasoning_tokens(value: object) -> int | None:
    """Return how many of the completion's tokens were reasoning, where the provider's counts tell; `value` as for `token_usage`."""
    if _usual(value) is not None or _usual_inside(value) is not None:
        return None
    count = safely(_reasoning_tokens, value)
    return None if isinstance(count, Failed) else count


def _reasoning_tokens(value: object) -> int | None:
    _, given = _read(value)
    given = next((_read(given[inner])[1] for inner in ("usage", "usage_metadata", "token_usage") if inner in given), given)
    details = (given.get(name) for name in ("completion_tokens_details", "output_tokens_details", "output_token_details"))
    places = [given, *(_read(each)[1] for each in details if each is not None)]
    counts = (_first(place, "reasoning_tokens", "reasoning", "thoughts_token_count") for place in places)
    return next((count for count in counts if count is not None), None)


def _token_usage(value: object) -> dict[str, int] | None:
    names, given = _read(value)
    for inner in ("usage", "usage_metadata", "token_usage"):
        if inner in given and not any(key.endswith(("_tokens", "_token_count")) for key in given):
            names, given = _read(given[inner])
    counts = _google(given) if any(name in given for name in _GOOGLE) else _counts(names, given)
    known = {name: count for name, count in counts.items() if count is not None}
    if not known:
        return None
    if "totalTokens" not in known and "promptTokens" in known and "completionTokens" in known:
        known["totalTokens"] = sum(known.values())
    return {name: min(known[name], MAX_COUNT) for name in COUNTS if name in known}


def _read(value: object) -> tuple[frozenset[str], dict[str, object]]:
    """Return the names that a dict or an object has, and its counts under snake-case names."""
    if type(value) is dict or issubclass(type(value), Mapping):
        found: Iterable[tuple[object, object]] = cast("Mapping[object, object]", value).items()
    elif instance_dict(value) is not None or not hasattr(type(value), "DESCRIPTOR"):
        found = fields(value).items()
    else:  # a protobuf message, as Google's older client gives: its fields are found by name only
        found = [(name, getattr(value, name, None)) for name in _GOOGLE]
    given = {name: each for name, each in found if isinstance(name, str) and each is not None}
    return frozenset(given), {_snake(str.__str__(name)): each for name, each in given.items()}


@lru_cache(maxsize=1_024)
def _snake(name: str) -> str:
    return _SNAKE.sub("_", name).lower()


_GOOGLE = (
    "prompt_token_count",
    "cached_content_token_count",
    "candidates_token_count",
    "thoughts_token_count",
    "tool_use_prompt_token_count",
    "total_token_count",
)

_BESIDE = frozenset(
    {"cacheReadTokens", "cacheCreationTokens", "cacheWriteTokens", "cacheWrite5mTokens", "cacheWrite1hTokens"}
    | {"cacheReadInputTokens", "cacheWriteInputTokens"}
)
"""Our own names and Bedrock's, of tokens that the prompt's count does not include."""

_INSIDE = frozenset(
    {"prompt_tokens", "prompt_tokens_details", "input_tokens_details", "input_token_details"}
    | {"cached_tokens", "cached_input_tokens", "cache_read_tokens", "cache_write_tokens"}
)
"""Names of those whose prompt count includes the cached tokens."""


def _counts(names: frozenset[str], given: Counts) -> dict[str, int | None]:
    details = given.get("prompt_tokens_details") or given.get("input_tokens_details") or given.get("input_token_details")
    places = [_plain(given)] if details is None else [_plain(_read(details)[1]), _plain(given)]
    read = next((count for place in places if (count := _first(place, *_READ)) is not None), None)
    written = max([_written(place) for place in places], key=len)  # the place that tells most
    cached: dict[str, int | None] = {"cacheReadTokens": read, **written}
    prompt, completion = _first(given, "prompt_tokens", "input_tokens"), _first(given, "completion_tokens", "output_tokens")
    total = _first(given, "total_tokens")
    if not names & _BESIDE and _is_inside(given, prompt, completion, total, _sum(*cached.values()) or 0):
        prompt = _less(prompt, *cached.values())
    return {"promptTokens": prompt, "completionTokens": completion, "totalTokens": total, **cached}


_READ = (
    *("cache_read_tokens", "cached_tokens", "cache_read", "cache_read_input_tokens", "prompt_cache_hit_tokens"),
    "cached_input_tokens",
)
_WRITTEN = (
    *("cache_creation_tokens", "cache_write_tokens", "cache_creation_input_tokens", "cache_write_input_tokens"),
    "cache_creation",
)


def _is_inside(given: Counts, prompt: int | None, completion: int | None, total: int | None, cached: int) -> bool:
    """Tell whether the prompt's count includes the cached tokens: by the total, else by names."""
    if prompt is not None and completion is not None and total is not None:
        if total == prompt + completion:
            return cached <= prompt
        if total == prompt + completion + cached:
            return False
    return not _INSIDE.isdisjoint(given)


def _google(given: Counts) -> dict[str, int | None]:
    read = _first(given, "cached_content_token_count")
    return {
        "promptTokens": _sum(_less(_first(given, "prompt_token_count"), read), _first(given, "tool_use_prompt_token_count")),
        "completionTokens": _sum(_first(given, "candidates_token_count", "response_token_count"), _first(given, "thoughts_token_count")),
        "totalTokens": _first(given, "total_token_count"),
        "cacheReadTokens": read,
    }


def _plain(given: Counts) -> Counts:
    """Return counts under plain names: also those of a tier of OpenAI's service, and those in an object of cache writes."""
    plain = {name.removeprefix("priority_").removeprefix("flex_"): count for name, count in given.items()}
    writes = plain.get("cache_creation_token_details", plain.get("cache_creation"))
    return plain if writes is None or whole(writes) is not None else {**plain, **_read(writes)[1]}


def _written(given: Counts) -> dict[str, int]:
    """Return the tokens written to a cache, by how long they last if that is known of all."""
    total = _first(given, *_WRITTEN)
    short = _first(given, "cache_write5m_tokens", "cache_write_5m_tokens", "ephemeral_5m_input_tokens")
    long = _first(given, "cache_write1h_tokens", "ephemeral_1h_input_tokens")
    if long is None:
        long = _first(given, "cache_write_1h_tokens") or None  # pydantic-ai's, 0 where nobody says how long
    if total and short is None and long is not None:
        short = max(total - long, 0)
    elif total and long is None and short is not None:
        long = max(total - short, 0)
    by_lifetime = {"cacheWrite5mTokens": short, "cacheWrite1hTokens": long}
    known = {name: count for name, count in by_lifetime.items() if count is not None}
    if known and (not total or total == sum(known.values())):
        return known
    return {} if total is None else {"cacheCreationTokens": total}


def _first(given: Counts, *names: str) -> int | None:
    for name in names:
        count = whole(given.get(name))
        if count is not None:
            return count
    return None


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _less(count: int | None, *parts: int | None) -> int | None:
    return None if count is None else max(count - sum(part or 0 for part in parts), 0)
