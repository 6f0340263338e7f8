"""A prompt in an event: the ids of its messages as they are written, and the messages that they stand for as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .model_tool_call import ModelToolCall, tool_calls_in
from .names import UNKNOWN
from .read import RecordedEvent
from .told import role_of
from .values import as_mapping, as_sequence, as_text


@dataclass(frozen=True)
class PromptMessage:
    """One message as it went to a model. `content` is text, or a list of parts; `is_missing`, if it is not recorded here."""

    role: str
    content: object = None
    tool_calls: tuple[ModelToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    is_missing: bool = False


_MOST_DIGITS = 5
_BESIDE_A_RESULT = frozenset({"result", "artifact", "graph", "goto", "updated", "resume"})
"""What a framework's tool gives in one object: the model is told the `result` alone."""

MISSING = PromptMessage(UNKNOWN, is_missing=True)
"""Stands where an id leads nowhere."""


class PromptReader:
    """Puts prompts together again, each once, however many others begin with it. `by_key` holds the events of the trace by their keys."""

    def __init__(self, by_key: Mapping[str, RecordedEvent]) -> None:
        self._by_key = by_key
        self._read: dict[str | None, tuple[PromptMessage, ...]] = {}

    def messages(self, event: RecordedEvent) -> tuple[PromptMessage, ...]:
        """Return the messages that the ids of an event stand for, in order.

        An id is the place of a message in the same event's content, the key of an answer's or a tool response's event, or the key of
        another prompt's event, a slash and a place; or one of these as `id` beside a `name` that the message has got since. A key, a colon
        and a number stand for so many messages that another event's ids begin with.
        """
        messages: tuple[PromptMessage, ...] = ()
        unread = {event.key: event}
        while unread:
            key, last = next(reversed(unread.items()))
            before = next((one for one in self._beginnings(last) if one not in self._read and one not in unread), None)
            if before is not None:
                unread[before] = self._by_key[before]
                continue
            messages = tuple(self._found(last))
            del unread[key]
            if key is not None:
                self._read[key] = messages
        return messages

    def tools(self, event: RecordedEvent) -> tuple[str, ...]:
        """Return the names of the tools that were offered along with a prompt, which another event may hold."""
        holder = self._by_key.get(event.tools_from or "", event)
        named = (as_text(as_mapping(tool).get("name")) for tool in holder.tools)
        return tuple(name or UNKNOWN for name in named)

    def _beginnings(self, event: RecordedEvent) -> Iterator[str]:
        """Yield the keys of the events here whose beginnings a prompt holds."""
        found = (_beginning(given) for given in event.prompt_ids)
        return (one[0] for one in found if one is not None and one[0] in self._by_key)

    def _found(self, event: RecordedEvent) -> Iterator[PromptMessage]:
        """Yield what an event's ids stand for; what is not there, or is around the event itself, is so many gaps."""
        for given in event.prompt_ids:
            beginning = _beginning(given)
            if beginning is None:
                yield self._one(given, event)
                continue
            key, length = beginning
            known = self._read.get(key, ())[:length]
            yield from known
            yield from [MISSING] * (length - len(known))

    def _one(self, given: object, event: RecordedEvent) -> PromptMessage:
        if isinstance(given, Mapping):
            return _renamed(self._one(given.get("id"), event), as_text(given.get("name")))
        if type(given) is int:
            return _at(event, given)
        if not isinstance(given, str):
            return MISSING
        key, slash, place = given.rpartition("/")
        if slash:
            return _at(self._by_key[key], int(place)) if key in self._by_key and place.isdecimal() else MISSING
        return _of_event(self._by_key[given]) if given in self._by_key else MISSING


def prompt_length(event: RecordedEvent) -> int:
    """Return how many messages a prompt has that an event tells, by ids or whole."""
    if not event.has_prompt_ids:
        return len(_messages(event))
    return sum(1 if (beginning := _beginning(given)) is None else beginning[1] for given in event.prompt_ids)


def is_of_user(event: RecordedEvent) -> bool:
    """Tell whether a user says something in a prompt, which may hold only what is new in it, or words in the user's name.

    An agent's and a middleware's own words are such.
    """
    if not event.has_prompt_ids:
        return True
    if event.actor.middleware is not None:
        return False
    return event.metadata.get("fromUser") is not False and any(message.role == "user" for message in event.messages)


def listed(event: RecordedEvent) -> tuple[PromptMessage, ...]:
    """Return the messages in a prompt's content, where that holds the whole prompt."""
    return tuple(map(_message, _messages(event)))


def quoted(event: RecordedEvent) -> PromptMessage:
    """Return what an answer, or a tool's result, is as a message of a later prompt; a gap for what is neither."""
    return _of_event(event)


def _beginning(given: object) -> tuple[str, int] | None:
    """Return the key of another prompt's event, and how many of its first messages an id stands for, if it is such an id."""
    key, colon, number = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    return (key, int(number)) if colon and number.isdecimal() and len(number) <= _MOST_DIGITS else None


def holder_of(given: object) -> str | None:
    """Return the key of the event that an id leads to; None if that is the event which tells it, or the id is none."""
    if isinstance(given, Mapping):
        return holder_of(given.get("id"))
    if not isinstance(given, str):
        return None
    if (beginning := _beginning(given)) is not None:
        return beginning[0]
    key, slash, _ = given.rpartition("/")
    return key if slash else given


def _renamed(message: PromptMessage, name: str | None) -> PromptMessage:
    if message.is_missing:
        return message
    return PromptMessage(message.role, message.content, message.tool_calls, message.tool_call_id, name)


def _at(event: RecordedEvent, place: int) -> PromptMessage:
    messages = _messages(event)
    return _message(messages[place]) if 0 <= place < len(messages) and isinstance(messages[place], Mapping) else MISSING


def _messages(event: RecordedEvent) -> Sequence[object]:
    return as_sequence(event.metadata.get("messages")) or event.prompt[1]


def _message(given: object) -> PromptMessage:
    if not isinstance(given, Mapping):
        return PromptMessage("user", given)
    calls = tool_calls_in(given.get("tool_calls"))
    names = (as_text(given.get("tool_call_id")), as_text(given.get("name")))
    return PromptMessage(role_of(given), given.get("content"), calls, *names)


def _of_event(event: RecordedEvent) -> PromptMessage:
    """Return what an answer, or a tool's result, is as a message of a later prompt."""
    if event.type == "llm_response":
        content = "" if event.answer is None else event.answer
        return PromptMessage("assistant", content, event.tool_calls)
    if event.type == "tool_result":
        return PromptMessage("tool", event.fields.get("output"), (), event.tool_call_id, event.tool)
    if event.type != "tool_call_response":
        return MISSING
    results = as_mapping(event.fields.get("toolResults"))
    content = results["error"] if list(results) == ["error"] else event.result
    if "result" in results and results.keys() <= _BESIDE_A_RESULT:
        content = results["result"]
    return PromptMessage("tool", content, (), event.tool_call_id, event.tool)
