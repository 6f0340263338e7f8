"""What an agent did, step by step: the kinds of steps, each made of the events that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from .._printable import counted, shortened
from .._wire.actor import Actor
from .._wire.asked import asked_in
from .._wire.model_tool_call import ModelToolCall
from .._wire.names import UNKNOWN
from .._wire.once import once
from .._wire.read import Message, RecordedEvent
from .._wire.used import Usage, summed
from .interventions import is_changed, is_told_of
from .step_context import ALONE, Choice, StepContext, Told

_ANSWERS = frozenset({"tool_call_response", "tool_result"})
_TELL_FAILURES = _ANSWERS | {"error"}


@dataclass(frozen=True, repr=False)
class Step:
    """One step of the decision path: the events that make it up, and the steps inside it."""

    kind: ClassVar[str] = "other"
    """The kind of step in one word."""

    events: tuple[RecordedEvent, ...]
    children: tuple[Step, ...] = ()
    context: StepContext = ALONE
    """What the rest of the trace tells of it."""

    @property
    def first(self) -> RecordedEvent:
        """The event that began the step."""
        return self.events[0]

    @property
    def span_id(self) -> str | None:
        """The step's span."""
        return self.first.span_id

    @property
    def actor(self) -> Actor:
        """Who acts in it, where a framework tells."""
        return self.first.actor

    @property
    def started_at(self) -> int | None:
        """When the step began, in microseconds since 1970."""
        return self.first.at

    @once
    def latency_ms(self) -> float | None:
        """How long the step took, where that was recorded."""
        return next((event.latency_ms for event in reversed(self.events) if event.latency_ms is not None), None)

    @property
    def is_finished(self) -> bool:
        """Whether its end was recorded."""
        return True

    @once
    def error(self) -> str | None:
        """What went wrong; None if nothing did."""
        return None

    @property
    def usage(self) -> Usage:
        """The tokens that the step itself used, without its children."""
        return summed(event.usage for event in self.events if "usage" in event.metadata)

    @property
    def is_marked(self) -> bool:
        """Whether anything in it was cut or taken out."""
        return any(event.is_marked for event in self.events)

    @property
    def truncated(self) -> int:
        """How many values were cut when the step was recorded."""
        return sum(event.truncated for event in self.events if event.is_marked)

    @property
    def redacted(self) -> int:
        """How many values were taken out of the step because they may be secret."""
        return sum(event.redacted for event in self.events if event.is_marked)

    def let_go(self) -> None:
        """Let go of what is read from the events' contents, where it can be read again from their lines."""
        self.__dict__.pop("requested", None)
        for event in self.events:
            event.let_go()

    def __repr__(self) -> str:
        name = getattr(self, "name", None) or getattr(self, "model", None) or ""
        return f"<{' '.join(filter(None, (type(self).__name__, shortened(name, 60))))}: {counted(len(self.events), 'event')}>"

    def walk(self) -> Iterator[Step]:
        """Yield this step and all below it, in order."""
        return walked([self])


def walked(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield steps, each before those inside it."""
    waiting = [*reversed(steps)]
    while waiting:
        step = waiting.pop()
        yield step
        if step.children:
            waiting += reversed(step.children)


class UserMessage(Step):
    """A message of the user to the agent, with the rest of the prompt."""

    kind = "user"

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, oldest first."""
        return self.first.messages

    @property
    def asked(self) -> Message:
        """The last message of the user, which the agent is to answer; without one, the last of all."""
        return asked_in(self.messages)

    @property
    def offered(self) -> int | None:
        """How many tools the model was offered, where that was recorded."""
        return self.first.offered

    @property
    def is_finished(self) -> bool:
        """Whether the process is not known to have ended before the answer."""
        return not self.context.is_cut_off


class Prompt(Step):
    """What a model was asked with, where no user said any of it: what tools gave, instructions, an answer's beginning."""

    kind = "prompt"

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that are new to the trace, oldest first."""
        return self.first.messages

    @property
    def is_finished(self) -> bool:
        """Whether the process is not known to have ended before the answer."""
        return not self.context.is_cut_off


class Thinking(Step):
    """A block of a model's reasoning."""

    kind = "thinking"

    @property
    def text(self) -> object:
        """What the model thought."""
        return self.first.thinking


@dataclass(frozen=True, repr=False)
class LLMResponse(Step):
    """A model's answer. The calls of the tools that it requested are among the children."""

    kind = "model"
    called_elsewhere: frozenset[str] = frozenset()
    """Ids of tool calls that are recorded in other steps of the trace."""

    @property
    def model(self) -> str:
        """The model's name."""
        return self.first.model or UNKNOWN

    @property
    def content(self) -> object:
        """The text, or a provider's list of parts; None for an answer that only calls tools.

        Of an answer in a form that was asked for, and given as the call of a tool, what it was called with.
        """
        return self.requested[0].arguments if self.first.is_structured_answer and self.requested else self.first.answer

    @property
    def requested(self) -> tuple[ModelToolCall, ...]:
        """The tools that the model requested."""
        return self.first.tool_calls

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped."""
        return self.first.finish_reason

    @property
    def interrupted(self) -> str | None:
        """What stopped the model before its answer was complete, such as `CancelledError`; None if nothing did."""
        return self.first.interrupted

    @once
    def not_called(self) -> tuple[ModelToolCall, ...]:
        """The requested tools of which nothing was recorded; none, where the call is the answer, or was cut off with it."""
        if self.first.is_structured_answer or self.interrupted or self.first.closed_early:
            return ()
        return tuple(choice.call for choice in self.context.choices if not choice.is_recorded and choice.told is None)

    @property
    def only_told(self) -> tuple[Choice, ...]:
        """The requested tools of which no call was recorded, but what the model was told: a refusal, an error, a result from elsewhere."""
        return tuple(choice for choice in self.context.choices if not choice.is_recorded and choice.told is not None)


class ToolCall(Step):
    """A tool's call: its request, its response, and the error in between, as far as they were recorded."""

    kind = "tool"

    @property
    def stands_for(self) -> str | None:
        """What it is, where it is no tool's call: a `run` or a `step` of a framework's, an `answer` or a `question` without a model."""
        return self.first.stands_for

    @once
    def requested(self) -> tuple[ModelToolCall, ...]:
        """The tool with its arguments; several, where one request names several; as it was chosen, where that alone was recorded."""
        for event in self.events:
            if event.tool_calls:
                return event.tool_calls
        return (self.context.choice.call,) if self.is_only_told and self.context.choice is not None else ()

    @property
    def is_only_told(self) -> bool:
        """Whether nothing was recorded of the call but what the model that chose it was told: no tool is known to have run."""
        return self.first.type == "tool_result" and self.context.choice is not None

    @once
    def name(self) -> str:
        """The tool's name."""
        for event in self.events:
            if event.tool:
                return event.tool
        return UNKNOWN

    @property
    def names(self) -> tuple[str, ...]:
        """The tool's name; several, where one event names several."""
        return tuple(tool.name for tool in self.requested) if len(self.requested) > 1 else (self.name,)

    @property
    def arguments(self) -> object:
        """The arguments by name; a list of tools and arguments, where one request names several; None if they were not recorded."""
        if len(self.requested) == 1:
            return self.requested[0].arguments
        if not self.requested and self.context.choice is not None:  # only a result was recorded
            return self.context.choice.call.arguments
        return [{"name": tool.name, "arguments": tool.arguments} for tool in self.requested] or None

    @property
    def changed_from(self) -> ModelToolCall | None:
        """What the model had chosen, if the tool was called with other arguments than those, or another tool was."""
        choice = self.context.choice
        if choice is None or not choice.is_whole or self.truncated or self.redacted:
            return None
        return choice.call if self.requested and is_changed(choice.call, self.name, self.requested[0].arguments) else None

    @property
    def told_instead(self) -> Told | None:
        """What the model was told of the call, if that is not what the call gave."""
        told = None if self.context.choice is None else self.context.choice.told
        if told is None or self.truncated or self.redacted or told.event.truncated or told.event.redacted:
            return None
        return None if is_told_of(told.value, self.result, self.error) else told

    @property
    def is_finished(self) -> bool:
        """Whether a response was recorded."""
        return self._response is not None

    @property
    def result(self) -> object:
        """What the tool returned; None as well where it did not, or not yet."""
        return None if self._response is None or self.error is not None else self._response.result

    @property
    def interrupted(self) -> str | None:
        """What stopped the call from outside before it came to a result, such as `CancelledError`; None if nothing did."""
        return None if self._response is None else self._response.interrupted

    @property
    def closed_early(self) -> bool:
        """Whether a generator's reader left it before its end: the result is what was yielded until then."""
        return self._response is not None and self._response.closed_early

    @once
    def error(self) -> str | None:
        """What went wrong, in one line where the tool said it in one; None if nothing did."""
        first = None
        for event in self.events:
            if event.type in _TELL_FAILURES and event.failure is not None:
                if event.type == "error":
                    return event.failure
                first = event.failure if first is None else first
        return first

    @property
    def stack(self) -> str | None:
        """The error's stack, where it was recorded."""
        return next((event.stack for event in self.events if event.type == "error"), None)

    @property
    def truncated(self) -> int:
        """How many values were cut when the call was recorded: of arguments that stand in request and response, once."""
        marks = super().truncated
        return marks and marks - self._marked_twice(lambda event: event.truncated)

    @property
    def redacted(self) -> int:
        """How many values were taken out of the call: of arguments that stand in request and response, once."""
        marks = super().redacted
        return marks and marks - self._marked_twice(lambda event: event.redacted)

    def _marked_twice(self, marks: Callable[[RecordedEvent], int]) -> int:
        """Return how many of the request's marks the response has too, as it repeats the arguments."""
        request = next((event for event in self.events if event.type == "tool_call_request"), None)
        response = self._response
        if request is None or response is None or not response.tool_calls:
            return 0
        return min(marks(request), marks(response))

    @property
    def process(self) -> str | None:
        """Identifies the process that made the call."""
        return self.first.process

    @once
    def _response(self) -> RecordedEvent | None:
        for event in self.events:
            if event.type in _ANSWERS:
                return event
        return None


class Embedding(Step):
    """Texts that were turned into vectors."""

    kind = "embedding"

    @property
    def model(self) -> str | None:
        """The model's name; None where only the request was recorded."""
        return next((event.model for event in self.events if event.model), None)

    @property
    def inputs(self) -> tuple[object, ...]:
        """The texts."""
        return tuple(value for event in self.events for value in event.inputs)

    @property
    def count(self) -> int | None:
        """How many vectors came back."""
        return next((event.embedding_count for event in self.events if event.embedding_count is not None), None)

    @property
    def is_finished(self) -> bool:
        """Whether a response was recorded."""
        return any(event.type == "embedding_response" for event in self.events)


class ErrorStep(Step):
    """An error outside any recorded call."""

    kind = "error"

    @property
    def message(self) -> str:
        """The error's type and text."""
        return self.first.failure or ""

    @once
    def error(self) -> str | None:
        """The same."""
        return self.message

    @property
    def model(self) -> str | None:
        """The model that failed, by name, where that was recorded."""
        return self.first.model

    @property
    def status(self) -> int | None:
        """The status that a server answered with."""
        return self.first.status

    @property
    def stack(self) -> str | None:
        """The stack, where it was recorded."""
        return self.first.stack


class OtherEvent(Step):
    """An event of a type that this version doesn't know."""
