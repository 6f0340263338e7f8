"""What a model was asked with, beside the prompt: parameters, and the tools that it was offered → attributes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._wire.values import as_mapping
from .attributes import json_bytes
from .span import Value

_NUMBERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "choice.count": "gen_ai.request.choice.count",
    "n": "gen_ai.request.choice.count",
}
"""Numbers that a model is asked with, as providers and the conventions name them."""

_TEXTS = {"stop": "gen_ai.request.stop_sequences", "stop_sequences": "gen_ai.request.stop_sequences"}


def parameters(params: Mapping[str, object]) -> dict[str, Value]:
    """Return the parameters that the conventions name."""
    attributes: dict[str, Value] = {}
    for name, value in params.items():
        if name in _NUMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
            attributes[_NUMBERS[name]] = value
        elif name in _TEXTS and value:
            texts = value if isinstance(value, (list, tuple)) else (value,)
            attributes[_TEXTS[name]] = tuple(text for text in texts if isinstance(text, str))
    return attributes


def definitions(tools: Sequence[object]) -> bytes | None:
    """Return the tools that a model was offered, as JSON in the conventions' form, in UTF-8; None for none."""
    offered = [{"type": "function", **as_mapping(tool)} for tool in tools]
    return json_bytes(offered) if offered else None
