"""The tool calls in a model's answer, in a request of a tool, or in a message of a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .names import UNKNOWN
from .told import arguments_of
from .values import as_mapping, as_sequence, as_text


@dataclass(frozen=True)
class ModelToolCall:
    """A tool that was asked for, with the id that the model gave its call. `arguments`: an object by name, or what else was recorded."""

    id: str | None
    name: str
    arguments: object


def tool_calls_in(calls: object) -> tuple[ModelToolCall, ...]:
    """Read a list of tool calls, in our form or in OpenAI's with its `function`."""
    return tuple(map(_tool_call, as_sequence(calls)))


def name_in(calls: object) -> str | None:
    """Return the first name in a list of tool calls; None without one."""
    for call in as_sequence(calls):
        if (name := _name_of(as_mapping(call))) != UNKNOWN:
            return name
    return None


def _name_of(call: Mapping[str, object]) -> str:
    return as_text((as_mapping(call.get("function")) or call).get("name")) or UNKNOWN


def _tool_call(value: object) -> ModelToolCall:
    call = as_mapping(value)
    function = (as_mapping(call["function"]) if "function" in call else None) or call
    arguments = arguments_of(function["arguments"] if "arguments" in function else function.get("args"))
    return ModelToolCall(as_text(call.get("id")), as_text(function.get("name")) or UNKNOWN, arguments)
