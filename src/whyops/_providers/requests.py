"""What is sent to a provider, in the wire's form → what a model is asked: messages, tools offered, parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._encoding.class_fields import name_of
from .._runtime import guard
from .._runtime.safely import Failed, safely
from .embeddings import inputs_of
from .google import is_content, is_part, units_of_content
from .objects import is_left_out, plain
from .openai_responses import is_item, units_of_items
from .unit import Unit, units_of

_MESSAGES = ("messages", "input", "contents", "prompt")
_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction")
_NO_PARAMETERS = frozenset({*_MESSAGES, *_SYSTEM, "content", "extra_headers", "extra_query", "functions", "model", "timeout", "tools"})


@dataclass(slots=True, eq=False)
class Request:
    """What a model is asked. `tools` are in the wire's form; `inputs` are what an embedding model is given, and None for others."""

    model: object = None
    provider: object = None
    messages: list[Unit] = field(default_factory=list)
    tools: list[Any] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    inputs: list[object] | None = None


def request_of(provider: object, kwargs: Mapping[str, Any], *, embeds: bool = False) -> Request:
    """Return what a call with these arguments asks: `kwargs` are a method's of OpenAI's, Anthropic's or Google's client.

    What can't be read is told as one message, as it is.
    """
    read = safely(lambda given: _request(provider, given, embeds=embeds), kwargs)
    if not isinstance(read, Failed):
        return read
    kind = name_of(read.error)
    guard.notices.say(f"request:{kind}", "The prompt of a model's call could not be read (%s); it is recorded as it is.", kind)
    held = next((kwargs[name] for name in _MESSAGES if kwargs.get(name) is not None), None)
    return Request(kwargs.get("model"), provider, [Unit("user", held)], inputs=[held] if embeds else None)


def _request(provider: object, kwargs: Mapping[str, Any], *, embeds: bool) -> Request:
    config = plain(kwargs.get("config"))
    given = {**(config if isinstance(config, dict) else {}), **{name: value for name, value in kwargs.items() if name != "config"}}
    given = {name: value for name, value in given.items() if value is not None and not is_left_out(value)}
    held = next((given[name] for name in (*_MESSAGES, "content") if name in given), None)
    params = {name: value for name, value in given.items() if name not in _NO_PARAMETERS}
    if embeds:
        return Request(given.get("model"), provider, params=params, inputs=inputs_of(plain(held)))
    system = [Unit("system", _system(given[name])) for name in _SYSTEM if name in given]
    tools = given.get("tools") or given.get("functions") or ()
    offered = [each for tool in (tools if isinstance(tools, (list, tuple)) else ()) for each in _tools(tool)]
    return Request(given.get("model"), provider, [*system, *messages_of(held)], offered, params)


def messages_of(given: object) -> list[Unit]:
    """Return the messages of a prompt: a text, or a list in the form of any API."""
    if given is None:
        return []
    if isinstance(given, str):
        return [Unit("user", given)]
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    pairs = [(plain(held), held) for held in listed]
    if any(is_item(item) for item, _ in pairs):
        return units_of_items([(_message(item), held) for item, held in pairs])
    if pairs and all(isinstance(item, str) or is_part(item) for item, _ in pairs):
        return units_of_content({"parts": [item for item, _ in pairs]}, given if len(pairs) > 1 else None)
    return [unit for item, held in pairs for unit in _units(item, held)]


def _units(item: object, held: object) -> Sequence[Unit]:
    message = _message(item)
    return units_of_content(message, held) if is_content(message) else units_of(message, held)


def _message(item: object) -> Mapping[str, Any]:
    if isinstance(item, dict):
        return {"parts": [item]} if is_part(item) else item
    return {"role": "user", "content": item}


def _system(given: object) -> object:
    """Return a system prompt: text, or its parts."""
    given = plain(given)
    if isinstance(given, dict) and is_content(given):
        return units_of_content({**given, "role": "system"}, None)[-1].content
    return units_of({"role": "system", "content": given}, None)[-1].content


def _tools(tool: object) -> list[Any]:
    """Return what a tool offers: Google's hold several functions, and what is custom stands inside."""
    given = plain(tool)
    if not isinstance(given, dict):
        return [tool]
    functions = given.get("function_declarations") or given.get("functionDeclarations")
    if isinstance(functions, list):
        return [function for function in functions if isinstance(function, dict)]
    custom = given.get("custom")
    if isinstance(custom, dict):
        return [custom]
    return [given] if {"name", "type", "function"} & given.keys() else [{"name": name} for name in given]
