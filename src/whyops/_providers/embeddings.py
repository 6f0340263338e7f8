"""The embeddings of every API: what is embedded, and how many vectors came back."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._wire.usage import whole
from .objects import at, listed


class Vectors(NamedTuple):
    """What is recorded of an answer: how many vectors, of how many dimensions, of which model, and for how many tokens."""

    number: int
    dimensions: int
    model: object = None
    tokens: int | None = None


def inputs_of(given: object) -> list[object]:
    """Return what is embedded, one by one; of texts that come as tokens, how many."""
    if not isinstance(given, (list, tuple)):
        return [] if given is None else [given]
    if given and all(type(token) is int for token in given):
        return [_tokens(given)]
    return [_tokens(one) if isinstance(one, (list, tuple)) else one for one in given]


def vectors_of(payload: object) -> Vectors:
    """Return what is recorded of an answer: OpenAI's, Google's, or a list of vectors."""
    held = payload if isinstance(payload, (list, tuple)) else listed(payload, "data", "embeddings")
    one = at(payload, "embedding")
    count = len(held) or (1 if one is not None else 0)
    usage = at(payload, "usage")
    return Vectors(count, _dimensions(_first(payload)), at(payload, "model"), whole(at(usage, "total_tokens", "prompt_tokens")))


def _first(payload: object) -> Any:
    """Return the first vector: numbers, or text in base64 of four bytes each."""
    held = payload if isinstance(payload, (list, tuple)) else listed(payload, "data", "embeddings")
    first = held[0] if held else at(payload, "embedding")
    if first is None or isinstance(first, (list, tuple, str)):
        return first
    if isinstance(first, (int, float)):
        return held
    return at(first, "embedding", "values")


def _dimensions(vector: object) -> int:
    if isinstance(vector, str):
        return (len(vector.rstrip("=")) * 3 // 4) // 4
    values: Any = vector if isinstance(vector, (list, tuple)) else at(vector, "values")
    return len(values) if hasattr(values, "__len__") else 0


def _tokens(tokens: Any) -> str:
    return f"[{len(tokens)} tokens]"
