"""What callers pass by keyword: options in the form of an event, and log messages, with the line, about what can't be recorded as meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .._encoding.class_fields import short_name
from .._encoding.coerce import elements, members, text_in
from .._runtime import guard
from .._wire import line
from .._wire.usage import COUNTS, MAX_COUNT, whole
from .._wire.write import MEMBERS
from ..types import EventOptions
from .ids import readable_id

COMMON = ("span_id", "step_id", "parent_step_id", "timestamp", "idempotency_key", "external_user_id", "call_id")
"""The options that all nine pairs of methods take."""

OWN: dict[str, tuple[str, ...]] = {
    "user_message": ("messages", "metadata"),
    "llm_response": ("model", "provider", "content", "tool_calls", "finish_reason", "usage", "latency_ms"),
    "llm_thinking": ("thinking", "signature"),
    "embedding_request": ("inputs",),
    "embedding_response": ("model", "provider", "embedding_count", "first_embedding_dimensions", "total_tokens", "latency_ms"),
    "tool_call_request": ("tool", "tool_calls", "latency_ms", "requested_at"),
    "tool_call_response": ("tool", "tool_calls", "tool_results", "latency_ms", "responded_at"),
    "tool_result": ("tool_name", "output"),
    "error": ("message", "status", "stack"),
}
"""What each method takes beside these, by its name, which is that of its event."""

_COMMON = frozenset(COMMON)

TIME = "ISO 8601 text or a datetime"
_ID = "a string, a number or a UUID, or something else with a text of its own"

_READABLE = {
    "latency_ms": "a number of milliseconds",
    "usage": 'token counts, such as {"promptTokens": 12, "completionTokens": 34}, or a provider\'s usage object',
    "total_tokens": "a whole number",
    "status": "a whole number",
    "requested_at": TIME,
    "responded_at": TIME,
}
"""What can be read of an argument."""

_NUMBERS = ("embedding_count", "first_embedding_dimensions")
_LISTS = {
    "messages": 'a list of messages, such as {"role": "user", "content": "Hi"}',
    "inputs": "a list of texts",
    "tool_calls": 'a list of dicts with the "name" and the "arguments" of a tool',
}


def note_unknown(method: str, options: Mapping[str, object]) -> None:
    """Log unknown options, the known name that is most similar, and the names that this method accepts."""
    for name in options.keys() - _COMMON:
        place = guard.caller()
        known = (*OWN[method], *COMMON)
        guard.notices.say(
            f"option:{place}:{method}:{name}",
            "Ignoring unknown option %r of %s (%s)%s Valid options: %s.",
            name,
            method,
            place,
            _Nearest(name, known),
            ", ".join(known),
        )


class _Nearest:
    """A question for the known name that is most like a wrong one, looked for only when it is said."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self._name = name
        self._known = known

    def __str__(self) -> str:
        import difflib  # noqa: PLC0415  (only somebody who mistypes a name needs it)

        near = difflib.get_close_matches(self._name, self._known, 1)
        return f": did you mean {near[0]!r}?" if near else "."


def note_odd(method: str, content: object, metadata: Mapping[str, object], given: Mapping[str, object]) -> None:
    """Log which of the arguments `given` could not be read into an event's content and metadata, or not as what they should be."""
    for name, value in given.items():
        if value is None or _is_empty(value):
            continue
        if name in _LISTS:
            if type(value) is not list and not _is_taken_as_list(name, value):
                _say(method, name, value, f"should be {_LISTS[name]}", "recorded as well as can be")
        elif name in _NUMBERS:
            if whole(value) is None:
                _say(method, name, value, "must be a whole number", "recorded as 0")
        else:
            member = MEMBERS[name]
            if member not in metadata and (type(content) is not dict or member not in content):
                refused(method, name, value, _READABLE[name])
            elif name == "usage":
                _note_counts(method, value, metadata[member])


def refused(method: str, option: str, value: object, wanted: str) -> None:
    """Log that an option is left out, and what it must be."""
    _say(method, option, value, f"must be {wanted}", "left out")


def given_text(method: str, name: str, value: object, read: Callable[[object], str | None] = readable_id, wanted: str = _ID) -> str | None:
    """Return a caller's id, made safe, or what else `read` makes of a value.

    None and an empty string both stand for none, and None is what they give; so does, logged, what can't be read.
    """
    if value is None or (type(value) is str and not value):
        return None
    text = read(value)
    if text is None:
        refused(method, name, value, wanted)
    return text


def step_fields(method: str, options: EventOptions) -> str:
    """Return the step numbers as ready members; one that the service would refuse is left out and said."""
    return line.steps(_step(method, "step_id", options.get("step_id")), _step(method, "parent_step_id", options.get("parent_step_id")))


def _step(method: str, option: str, step: object) -> int | None:
    number = int.__int__(step) if issubclass(type(step), int) else 0  # type: ignore[arg-type]  # told by its type
    if 1 <= number <= MAX_COUNT:
        return number
    if step is not None:
        refused(method, option, step, f"a whole number from 1 to {MAX_COUNT}")
    return None


def _is_empty(value: object) -> bool:
    """Tell whether a value stands for none: an empty text or list, or a dict of which nothing is known."""
    kind = type(value)
    if kind is dict:
        return all(each is None for each in value.values())  # type: ignore[attr-defined]  # told by its type
    return (kind is str or kind is list or kind is tuple) and not value


def _is_taken_as_list(name: str, value: object) -> bool:
    """Tell whether a list is made of the value: of a tuple, a single dict, or, where texts are listed, a single one."""
    return elements(value) is not None or members(value) is not None or (name != "tool_calls" and text_in(value) is not None)


def _note_counts(method: str, usage: object, read: object) -> None:
    """Log which of the counts with our names are no numbers."""
    held = members(usage) or {}
    for name in COUNTS:
        if type(read) is dict and name not in read and held.get(name) is not None and whole(held[name]) is None:
            refused(method, f"usage[{name!r}]", held[name], "a whole number")


def _say(method: str, name: str, value: object, wanted: str, outcome: str) -> None:
    place = guard.caller()
    guard.notices.say(
        f"odd:{place}:{method}:{name}",
        "%s of %s (%s) %s, not %s: it is %s.",
        name,
        method,
        place,
        wanted,
        short_name(type(value)),
        outcome,
    )
