"""What of a run's inputs and outputs is somebody's words: a user's question, an answer, a node's message, an interrupt's question.

Pure: nothing here records, and nothing here imports LangChain or LangGraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..._providers.messages import role_of, text_of
from . import _results
from ._translate import content_of

_PAIR = 2


def question_in(inputs: object, *, is_graph: bool) -> object:
    """Return what a user says last in a run's inputs; None where they end in nobody's words.

    That is a text, a message, or the last of the messages. A chain may also be given a single text by name.
    """
    if isinstance(inputs, str):
        return inputs or None
    if isinstance(inputs, Mapping) and "messages" not in inputs and _role(inputs) is None:
        texts = [value for value in inputs.values() if isinstance(value, str)]
        return None if is_graph or len(inputs) != 1 or not texts else texts[0] or None
    last = _last(inputs)
    return _content(last) or None if last is not None and _role(last) == "user" else None


def arguments_in(inputs: object) -> dict[str, object]:
    """Return what a graph is given, by name: its state, or one value as `input`."""
    if inputs is None:
        return {}
    if isinstance(inputs, Mapping):
        return {str(name): _results.plain(value) for name, value in inputs.items()}
    return {"input": _results.plain(inputs)}


def answer_in(outputs: object) -> object:
    """Return the words in which a run's outputs end, as an assistant's; outputs of another kind as they are; None where there are none."""
    if isinstance(outputs, str):
        return outputs or None
    if isinstance(outputs, Mapping) and "messages" not in outputs and _role(outputs) is None:
        return _results.plain(outputs) if outputs else None
    last = _last(outputs)
    if last is not None:
        return words_of(last)
    return None if isinstance(outputs, (Mapping, list, tuple)) else _results.plain(outputs)


def told_by_node(outputs: object) -> Iterator[object]:
    """Yield each message in which what a node gives ends: one for each of its updates."""
    for update in outputs if type(outputs) is list and not _is_messages(outputs) else (outputs,):
        held = getattr(update, "update", None) if type(update) is not dict and _results.is_command(update) else update
        last = _last(held)
        if last is not None:
            yield last


def words_of(message: Any) -> str | None:
    """Return what an assistant says in a message; None where somebody else speaks, or where it only asks for tools."""
    if _role(message) != "assistant" or (_results.is_message(message) and getattr(message, "tool_calls", None)):
        return None
    return text_of(_content(message)) or None


def is_among(message: object, given: object) -> bool:
    """Tell whether a message was in a node's inputs already."""
    id_ = getattr(message, "id", None)
    return any(held is message or (id_ is not None and getattr(held, "id", None) == id_) for held in _messages(given) or ())


def asks(prompts: Iterable[Any], words: str) -> bool:
    """Tell whether somebody says these words in a prompt."""
    return any(words in (message if isinstance(message, str) else text_of(getattr(message, "content", None))) for message in prompts)


def reply_in(inputs: object) -> object:
    """Return what a human answered an interrupt, which a run is resumed with; None where it is not."""
    return getattr(inputs, "resume", None) if _results.is_command(inputs) else None


def questions_in(error: BaseException) -> Iterator[tuple[object, object]]:
    """Yield what LangGraph's interrupts ask, each with what tells it from others; nothing for another exception."""
    if any(kind.__name__ == "GraphInterrupt" and kind.__module__ == "langgraph.errors" for kind in type(error).__mro__):
        held = error.args[0] if error.args else ()
        for interrupt in held if isinstance(held, (list, tuple)) else ():
            yield getattr(interrupt, "id", None) or id(interrupt), _results.plain(getattr(interrupt, "value", None))


def shown(outputs: object) -> object:
    """Return what a node gives: of a Command, also what it updates, as that is what the node did; a single one without the list."""
    if isinstance(outputs, list) and len(outputs) == 1:
        return shown(outputs[0])
    if not _results.is_command(outputs):
        return _results.plain(outputs)
    told = {name: value for name, value in _results.command(outputs).items() if name not in {"result", "updated"}}
    update = {str(name): _results.plain(value) for name, value in _results.pairs(getattr(outputs, "update", None))}
    return {**told, **({"update": update} if update else {})}


def _messages(held: object) -> Sequence[object] | None:
    """Return the messages of a graph's state, or a list of messages, or the one that this is."""
    if type(held) is dict and "content" not in held:
        held = held.get("messages")
    if type(held) is list:
        return held
    return [held] if _role(held) is not None else held if isinstance(held, tuple) else None


def _is_messages(held: Sequence[object]) -> bool:
    return bool(held) and _role(held[-1]) is not None


def _last(held: object) -> object:
    messages = _messages(held)
    return messages[-1] if messages and _role(messages[-1]) is not None else None


def _role(message: Any) -> str | None:
    """Return who speaks in a message, in any form that LangChain takes one in; None for what is no message."""
    if _results.is_message(message):
        kind = message.type
        return _role_named(message.role if kind == "chat" else kind)
    if isinstance(message, dict):
        named = (message.get("role") or message.get("type")) if "content" in message else None
        return _role_named(named) if isinstance(named, str) else None
    if isinstance(message, tuple) and len(message) == _PAIR and all(isinstance(part, str) for part in message):
        return _role_named(message[0])
    return None


@lru_cache(maxsize=64)
def _role_named(name: str) -> str:
    return role_of(name)


def _content(message: Any) -> object:
    if isinstance(message, tuple):
        return message[1]
    return content_of(message) if _results.is_message(message) else content_of(_Held(message["content"]))


class _Held:
    """A message's content where LangChain looks for it."""

    def __init__(self, content: object) -> None:
        self.content = content
