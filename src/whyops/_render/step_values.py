"""A step → its values, each whole, and where in which event it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._trace.steps import Embedding, ErrorStep, LLMResponse, Prompt, Step, Thinking, ToolCall, UserMessage
from .._wire.read import RecordedEvent
from .._wire.values import as_mapping


class Value(NamedTuple):
    """A value that can be shown whole: itself, and where it was recorded, as an event and the keys that lead to it."""

    title: str
    value: object
    event: RecordedEvent
    path: tuple[str | int, ...]


def values_of(step: Step) -> tuple[Value, ...]:
    """Return the values that can be shown whole, in the order in which a reader wants them."""
    first = step.first
    if isinstance(step, ToolCall):
        return tuple(_call_values(step))
    if isinstance(step, LLMResponse):
        return tuple(_answer_values(step))
    if isinstance(step, (UserMessage, Prompt)):
        return (_content("Messages", first),)
    if isinstance(step, Thinking):
        return (_value("Thinking", first, "thinking"),)
    if isinstance(step, Embedding):
        return (_content("Content", first),)
    if isinstance(step, ErrorStep):
        return (*_error_values(first), *_new_in_prompt(step))
    return (_content("Content", first),)


def _answer_values(step: LLMResponse) -> Iterator[Value]:
    first = step.first
    if not (first.answer is None and (first.fields or first.content == {})):
        yield _value("Answer", first, "content")
    yield from _new_in_prompt(step)
    if step.requested:
        yield _value("Requested tools", first, "toolCalls")


def _new_in_prompt(step: Step) -> list[Value]:
    return [_content("New in the prompt", event) for event in step.events if event.type == "user_message"]


def _call_values(step: ToolCall) -> Iterator[Value]:
    request = next((event for event in step.events if event.tool_calls), None)
    if request is not None and not (request.type == "tool_result" and request.told):
        path: tuple[str | int, ...] = (0, "arguments") if len(step.requested) == 1 else ()
        yield Value("Arguments", step.arguments, request, ("content", "toolCalls", *path))
    errors = [event for event in step.events if event.type == "error"]
    for event in errors:
        yield from _error_values(event)
    for event in step.events:
        if event.type == "tool_result":
            if not event.told:
                yield _value("Result", event, "output")
            elif event is step.first:
                yield from _told_values(step)
        elif event.type == "tool_call_response" and not errors:
            yield _response_value(step, event)


def _told_values(step: ToolCall) -> Iterator[Value]:
    """Yield what a prompt tells of a call and its result; of several, all in one, which stand in different places of the prompt."""
    prompt, _ = step.first.prompt
    call, _, path, _ = step.first.told[0] if len(step.first.told) == 1 else (None, None, (), False)
    if step.arguments is not None:
        yield Value("Arguments", step.arguments, step.first, (*prompt, *(call.path if call is not None else ())))
    yield Value("Result" if step.error is None else "Error", step.first.result, step.first, (*prompt, *path))


def _response_value(step: ToolCall, event: RecordedEvent) -> Value:
    path = ("content", "toolResults")
    if step.error is not None:
        return Value("Error", step.error, event, (*path, "error"))
    only_result = list(as_mapping(event.fields.get("toolResults"))) == ["result"]
    return Value("Result", step.result, event, (*path, "result") if only_result else path)


def _error_values(event: RecordedEvent) -> Iterator[Value]:
    yield _value("Error", event, "message")
    if event.stack:
        yield _value("Stack", event, "stack")


def _value(title: str, event: RecordedEvent, name: str) -> Value:
    """Return a field of an event's content, or the content itself where it has no such field."""
    return Value(title, event.fields[name], event, ("content", name)) if name in event.fields else _content(title, event)


def _content(title: str, event: RecordedEvent) -> Value:
    return Value(title, event.content, event, ("content",))
