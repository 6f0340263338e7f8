"""What a provider's own requests and answers tell, which the WhyOps proxy records as they are: results of tools, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .names import PROXY_ARGUMENT

Path = tuple[str | int, ...]


class ToolChoice(NamedTuple):
    """A tool call in a model's answer: the tool, its arguments, and where in the messages these are."""

    name: str | None
    arguments: object
    path: Path


class ToldResult(NamedTuple):
    """A tool's result, as a model is told it; `path` leads to it in the messages. `call` is None where no answer before asks for it."""

    call: ToolChoice | None
    value: object
    path: Path
    failed: bool


def told_results(messages: Sequence[object]) -> tuple[ToldResult, ...]:
    """Return the results behind a model's last answer, with the calls that they belong to, from a prompt in any provider's form.

    Those before that answer were told to the model earlier.
    """
    calls: dict[object, ToolChoice] = {}
    results: list[ToldResult] = []
    for place, message in enumerate(messages):
        choices = dict(_choices(message, place))
        if choices or _is_answer(message):
            results.clear()
        calls |= choices
        results += (
            ToldResult(calls.get(call_id), _value(given), path, failed) for call_id, given, path, failed in _results(message, place)
        )
    return tuple(results)


def role_of(message: Mapping[object, object]) -> str:
    """Return who speaks in a message, or in an item of OpenAI's responses."""
    role = message.get("role")
    if isinstance(role, str) and role:
        return role
    kind = message.get("type")
    if kind == "function_call_output":
        return "tool"
    return "assistant" if kind in ("function_call", "reasoning") else "user"


def error_of(content: object) -> tuple[object, object]:
    """Return an error's type and message, from an error's content or an answer of a provider's that holds one; else the content."""
    given = content
    while isinstance(given, Mapping) and "message" not in given and given.get("error"):
        inner = given["error"]
        whole = parsed(inner) if isinstance(inner, str) else inner
        given = whole if isinstance(whole, Mapping) else inner
    return (given.get("type"), given.get("message", given)) if isinstance(given, Mapping) else (None, given)


def parsed(text: str) -> object:
    """Read a JSON text; what is none stays as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def arguments_of(given: object) -> object:
    """Return a call's arguments, also from JSON text, without the one that the proxy adds."""
    arguments = parsed(given) if isinstance(given, str) else given
    if not isinstance(arguments, (dict, Mapping)) or PROXY_ARGUMENT not in arguments:
        return arguments
    return {name: value for name, value in arguments.items() if name != PROXY_ARGUMENT}


def _is_answer(message: object) -> bool:
    return isinstance(message, Mapping) and role_of(message) == "assistant"


def _choices(message: object, place: int) -> Iterator[tuple[object, ToolChoice]]:
    """Yield the calls of a model's answer, with their ids."""
    if not isinstance(message, Mapping):
        return
    if message.get("type") == "function_call":
        yield message.get("call_id"), _choice(message, "arguments", (place,))
    for index, call in _objects(message.get("tool_calls")):
        function = call.get("function")
        if isinstance(function, Mapping):
            yield call.get("id"), _choice(function, "arguments", (place, "tool_calls", index, "function"))
    for index, block in _objects(message.get("content")):
        if block.get("type") == "tool_use":
            yield block.get("id"), _choice(block, "input", (place, "content", index))


def _choice(call: Mapping[object, object], member: str, path: Path) -> ToolChoice:
    name = call.get("name")
    return ToolChoice(name if isinstance(name, str) else None, arguments_of(call.get(member)), (*path, member))


def _results(message: object, place: int) -> Iterator[tuple[object, object, Path, bool]]:
    """Yield the results in a message: the id of each one's call, itself, where it is, and whether it is a failure."""
    if not isinstance(message, Mapping):
        return
    if message.get("type") == "function_call_output":
        yield message.get("call_id"), message.get("output"), (place, "output"), False
    elif message.get("role") in ("tool", "function"):
        yield message.get("tool_call_id"), message.get("content"), (place, "content"), False
    for index, block in _objects(message.get("content")):
        if block.get("type") == "tool_result":
            yield block.get("tool_use_id"), block.get("content"), (place, "content", index, "content"), block.get("is_error") is True


def _objects(value: object) -> Iterator[tuple[int, Mapping[object, object]]]:
    """Yield the objects in a list with their places; nothing for anything else."""
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, Mapping):
            yield index, one


def _value(given: object) -> object:
    """Return a result as a value: parts of text as one text, and an object or a list from its JSON text."""
    texts = [part.get("text") for _, part in _objects(given)]
    if texts and all(isinstance(text, str) for text in texts):
        given = "\n".join(map(str, texts))
    whole = parsed(given) if isinstance(given, str) and given.lstrip()[:1] in ("{", "[") else given
    return given if isinstance(whole, str) else whole
