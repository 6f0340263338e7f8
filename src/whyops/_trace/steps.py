"""What an agent did, step by step: the kinds of steps, each made of the events that belong to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from .._printable import counted, shortened
from .._wire.read import RecordedEvent, Usage, as_mapping, as_sequence, as_text

USUAL_ENDS = frozenset({"stop", "end_turn", "tool_calls", "tool_use", "stop_sequence", "function_call", "STOP"})
"""Why a model stops when nothing is unusual, as several providers name it."""


@dataclass(frozen=True, repr=False)
class Step:
    """One step of the decision path: the events that make it up, and the steps inside it."""

    kind: ClassVar[str] = "other"
    """The kind of step in one word."""

    events: tuple[RecordedEvent, ...]
    children: tuple[Step, ...] = ()

    @property
    def first(self) -> RecordedEvent:
        """The event that began the step."""
        return self.events[0]

    @property
    def span_id(self) -> str | None:
        """The step's span."""
        return self.first.span_id

    @property
    def started_at(self) -> int | None:
        """When the step began, in microseconds since 1970."""
        return self.first.at

    @property
    def latency_ms(self) -> float | None:
        """How long the step took, where that was recorded."""
        return next((event.latency_ms for event in reversed(self.events) if event.latency_ms is not None), None)

    @property
    def is_finished(self) -> bool:
        """Whether its end was recorded."""
        return True

    @property
    def error(self) -> str | None:
        """What went wrong; None if nothing did."""
        return None

    @property
    def usage(self) -> Usage:
        """The tokens that the step itself used, without its children."""
        return sum((event.usage for event in self.events), Usage())

    @property
    def truncated(self) -> int:
        """How many values were cut when the step was recorded."""
        return sum(event.truncated for event in self.events)

    @property
    def redacted(self) -> int:
        """How many values were taken out of the step because they may be secret."""
        return sum(event.redacted for event in self.events)

    def __repr__(self) -> str:
        name = getattr(self, "name", None) or getattr(self, "model", None) or ""
        return f"<{' '.join(filter(None, (type(self).__name__, shortened(name, 60))))}: {counted(len(self.events), 'event')}>"

    def walk(self) -> Iterator[Step]:
        """Yield this step and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Message:
    """One message of a prompt. `content` is text, or a provider's list of parts."""

    role: str
    content: object


@dataclass(frozen=True)
class RequestedTool:
    """A tool with arguments: an object by name, or what else was recorded in its place."""

    name: str
    arguments: object


@dataclass(frozen=True, repr=False)
class UserMessage(Step):
    """A message of the user to the agent, with the rest of the prompt."""

    kind = "user"

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages, oldest first."""
        content = self.first.content
        listed = as_sequence(content) or as_sequence(as_mapping(content).get("messages")) or (() if content is None else (content,))
        return tuple(_message(one) for one in listed)

    @property
    def asked(self) -> Message:
        """The last message of the user, which the agent is to answer; without one, the last of all."""
        of_user = (message for message in reversed(self.messages) if message.role == "user")
        return next(of_user, self.messages[-1] if self.messages else Message("user", ""))

    @property
    def offered(self) -> int | None:
        """How many tools the model was offered, where that was recorded."""
        tools = self.first.metadata.get("tools")
        return len(as_sequence(tools)) if tools is not None else None


@dataclass(frozen=True, repr=False)
class Thinking(Step):
    """A block of a model's reasoning."""

    kind = "thinking"

    @property
    def text(self) -> object:
        """What the model thought."""
        return self.first.fields.get("thinking", self.first.content)


@dataclass(frozen=True, repr=False)
class LLMResponse(Step):
    """A model's answer. The calls of the tools that it requested are among the children."""

    kind = "model"

    @property
    def model(self) -> str:
        """The model's name."""
        return as_text(self.first.metadata.get("model")) or "unknown"

    @property
    def content(self) -> object:
        """The text, or a provider's list of parts; None for an answer that only calls tools."""
        content = self.first.content
        return self.first.fields.get("content") if isinstance(content, Mapping) else content

    @cached_property
    def requested(self) -> tuple[RequestedTool, ...]:
        """The tools that the model requested."""
        return tuple(_requested(one) for one in as_sequence(self.first.fields.get("toolCalls")))

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped."""
        return as_text(self.first.fields.get("finishReason"))

    @cached_property
    def not_called(self) -> tuple[RequestedTool, ...]:
        """The requested tools for which no call was recorded."""
        called = [child.name for child in self.children if isinstance(child, ToolCall)]
        missing = []
        for tool in self.requested:
            if tool.name in called:
                called.remove(tool.name)
            else:
                missing.append(tool)
        return tuple(missing)


@dataclass(frozen=True, repr=False)
class ToolCall(Step):
    """A tool's call: its request, its response, and the error in between, as far as they were recorded."""

    kind = "tool"

    @cached_property
    def requested(self) -> tuple[RequestedTool, ...]:
        """The tool with its arguments; several, where one request names several."""
        listed = next((found for event in self.events if (found := as_sequence(event.fields.get("toolCalls")))), ())
        return tuple(_requested(one) for one in listed)

    @cached_property
    def name(self) -> str:
        """The tool's name."""
        named = (as_text(event.metadata.get("tool")) or as_text(event.fields.get("toolName")) for event in self.events)
        return next(filter(None, named), None) or (self.requested[0].name if self.requested else "unknown")

    @property
    def arguments(self) -> object:
        """The arguments by name; a list of tools and arguments, where one request names several; None if they were not recorded."""
        if len(self.requested) == 1:
            return self.requested[0].arguments
        return [{"name": tool.name, "arguments": tool.arguments} for tool in self.requested] or None

    @property
    def is_finished(self) -> bool:
        """Whether a response was recorded."""
        return self._response is not None

    @property
    def result(self) -> object:
        """What the tool returned; None as well where it did not, or not yet."""
        response = self._response
        if response is None or self.error is not None:
            return None
        if response.type == "tool_result":
            return response.fields.get("output", response.content)
        results = response.fields.get("toolResults", response.content)
        fields = as_mapping(results)
        if list(fields) == ["interrupted"]:
            return None
        return fields["result"] if list(fields) == ["result"] else results

    @property
    def interrupted(self) -> str | None:
        """What stopped the call from outside before it came to a result, such as `CancelledError`; None if nothing did."""
        return None if self._response is None else as_text(self._response.metadata.get("interrupted"))

    @property
    def closed_early(self) -> bool:
        """Whether a generator's reader left it before its end: the result is what was yielded until then."""
        return self._response is not None and self._response.metadata.get("closedEarly") is True

    @property
    def error(self) -> str | None:
        """What went wrong, in one line where the tool said it in one; None if nothing did."""
        failure = next((event for event in self.events if event.type == "error"), None)
        if failure is not None:
            return _failure_text(failure)
        response = self._response
        told = None if response is None else as_mapping(response.fields.get("toolResults")).get("error")
        return (told if isinstance(told, str) else repr(told)) if told else None

    @property
    def stack(self) -> str | None:
        """The error's stack, where it was recorded."""
        return next((as_text(event.fields.get("stack")) for event in self.events if event.type == "error"), None)

    @property
    def truncated(self) -> int:
        """How many values were cut when the call was recorded: of arguments that stand in request and response, once."""
        return super().truncated - self._marked_twice(lambda event: event.truncated)

    @property
    def redacted(self) -> int:
        """How many values were taken out of the call: of arguments that stand in request and response, once."""
        return super().redacted - self._marked_twice(lambda event: event.redacted)

    def _marked_twice(self, marks: Callable[[RecordedEvent], int]) -> int:
        """Return how many of the request's marks the response has too, as it repeats the arguments."""
        request = next((event for event in self.events if event.type == "tool_call_request"), None)
        response = self._response
        if request is None or response is None or not as_sequence(response.fields.get("toolCalls")):
            return 0
        return min(marks(request), marks(response))

    @property
    def process(self) -> str | None:
        """Identifies the process that made the call."""
        return self.first.process

    @property
    def _response(self) -> RecordedEvent | None:
        return next((event for event in self.events if event.type in ("tool_call_response", "tool_result")), None)


@dataclass(frozen=True, repr=False)
class Embedding(Step):
    """Texts that were turned into vectors."""

    kind = "embedding"

    @property
    def model(self) -> str | None:
        """The model's name; None where only the request was recorded."""
        return next((name for event in self.events if (name := as_text(event.metadata.get("model")))), None)

    @property
    def inputs(self) -> tuple[object, ...]:
        """The texts."""
        return tuple(value for event in self.events for value in as_sequence(event.fields.get("input")))

    @property
    def count(self) -> int | None:
        """How many vectors came back."""
        found = next((event.fields.get("embeddingCount") for event in self.events if "embeddingCount" in event.fields), None)
        return found if isinstance(found, int) else None

    @property
    def is_finished(self) -> bool:
        """Whether a response was recorded."""
        return any(event.type == "embedding_response" for event in self.events)


@dataclass(frozen=True, repr=False)
class ErrorStep(Step):
    """An error outside any recorded call."""

    kind = "error"

    @property
    def message(self) -> str:
        """The error's type and text."""
        return _failure_text(self.first)

    @property
    def error(self) -> str:
        """The same."""
        return self.message

    @property
    def status(self) -> int | None:
        """The status that a server answered with."""
        status = self.first.fields.get("status")
        return status if isinstance(status, int) else None

    @property
    def stack(self) -> str | None:
        """The stack, where it was recorded."""
        return as_text(self.first.fields.get("stack"))


@dataclass(frozen=True, repr=False)
class OtherEvent(Step):
    """An event of a type that this version doesn't know."""


def _message(value: object) -> Message:
    if isinstance(value, Mapping):
        return Message(as_text(value.get("role")) or "user", value.get("content", value))
    return Message("user", value)


def _requested(value: object) -> RequestedTool:
    """Read one tool call, in our form or in OpenAI's with its `function`."""
    function = as_mapping(as_mapping(value).get("function")) or as_mapping(value)
    arguments = function.get("arguments", function.get("args"))
    return RequestedTool(as_text(function.get("name")) or "unknown", _parsed(arguments) if isinstance(arguments, str) else arguments)


def _parsed(arguments: str) -> object:
    """Read arguments written as a JSON string; what is no JSON stays as it is."""
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _failure_text(event: RecordedEvent) -> str:
    kind, message = as_text(event.fields.get("type")), event.fields.get("message", event.content)
    text = message if isinstance(message, str) else repr(message)
    return f"{kind}: {text}" if kind and not text.startswith(kind) else text
