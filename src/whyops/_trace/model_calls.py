"""The calls of models in a trace, each with the prompt that it was asked with, put together again from the events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .._wire.model_tool_call import ModelToolCall
from .._wire.names import UNKNOWN
from .._wire.prompt import PromptMessage, PromptReader, listed
from .._wire.read import RecordedEvent
from .._wire.used import Usage, summed
from .._wire.values import as_mapping

_OF_MODELS = frozenset({"user_message", "llm_thinking", "llm_response", "error"})


@dataclass(frozen=True, repr=False)
class ModelCall:
    """One call of a model: `events` are its prompt, reasoning, answers and error, as far as they were recorded, in order of time."""

    events: tuple[RecordedEvent, ...]
    prompt: tuple[PromptMessage, ...] | None
    """The messages as they went to the model, in order; one that is not recorded here says so. None, if nothing tells of the prompt."""
    tools: tuple[str, ...]
    """The names of the tools that were offered."""
    is_cut_off: bool = False
    """Whether its process is known to have ended before the call did."""

    @property
    def id(self) -> str | None:
        """What its events have in common; None where it was recorded without."""
        return self.events[0].call_id

    @property
    def model(self) -> str:
        """The model's name: that of the answer, or of the model that was asked and failed."""
        ends = (*self._answers, *(event for event in self.events if event.type == "error"))
        return next((event.model for event in ends if event.model), UNKNOWN)

    @property
    def params(self) -> Mapping[str, object]:
        """The parameters that were sent along."""
        return as_mapping(next((event.metadata["params"] for event in self.events if "params" in event.metadata), None))

    @property
    def thinking(self) -> tuple[object, ...]:
        """The blocks of the model's reasoning."""
        return tuple(event.thinking for event in self.events if event.type == "llm_thinking")

    @property
    def answer(self) -> object:
        """The model's text, or a list of parts; None for one that only calls tools, or where there is none. Of alternatives the first."""
        return next((event.answer for event in self._answers), None)

    @property
    def tool_calls(self) -> tuple[ModelToolCall, ...]:
        """The tools that the model asked for, with their ids."""
        return next((event.tool_calls for event in self._answers), ())

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped."""
        return next((event.finish_reason for event in self._answers), None)

    @cached_property
    def usage(self) -> Usage:
        """The tokens that were used."""
        return summed(event.usage for event in self._answers)

    @property
    def error(self) -> str | None:
        """What went wrong; None if nothing did."""
        return next((event.failure for event in self.events if event.type == "error"), None)

    @property
    def interrupted(self) -> str | None:
        """What stopped the answer before its end, `closed early` where its reader left it; None if nothing did.

        `no answer recorded`, where the call ended and nobody told what it gave; `process ended`, where that came first.
        """
        if self.is_cut_off:
            return "process ended"
        early = "closed early" if any(event.closed_early for event in self._answers) else None
        early = "no answer recorded" if any(event.is_unanswered for event in self._answers) else early
        return next((event.interrupted for event in self._answers if event.interrupted), early)

    @property
    def agent(self) -> str | None:
        """The agent that asked, where a framework tells."""
        return next((event.actor.agent for event in self.events if event.actor.agent), None)

    @property
    def node(self) -> str | None:
        """The node of a graph, or the step of a workflow, that asked."""
        return next((event.actor.node for event in self.events if event.actor.node), None)

    @property
    def started_at(self) -> int | None:
        """When it began, in microseconds since 1970: where the prompt has no event of its own, its end less its time."""
        first = self.events[0]
        if first.at is None or first.type == "user_message" or first.latency_ms is None:
            return first.at
        return first.at - round(first.latency_ms * 1000)

    @property
    def latency_ms(self) -> float | None:
        """How long the answer took."""
        return next((event.latency_ms for event in self._answers if event.latency_ms is not None), None)

    @property
    def missing(self) -> int:
        """How many messages of the prompt are not recorded here."""
        return sum(message.is_missing for message in self.prompt or ())

    def __repr__(self) -> str:
        asked = "unknown" if self.prompt is None else len(self.prompt)
        return f"<ModelCall {self.model}: prompt of {asked}, {len(self.tool_calls)} tool calls>"

    @property
    def _answers(self) -> Sequence[RecordedEvent]:
        return [event for event in self.events if event.type == "llm_response"]


def model_calls(events: Sequence[RecordedEvent], cut_off: Collection[str] = ()) -> tuple[ModelCall, ...]:
    """Return the calls, in order of their first events; those whose ids are in `cut_off` ended with their process."""
    prompts = prompts_in(events)
    return tuple(replace(call, is_cut_off=call.id in cut_off) for call in (call_of(group, prompts) for group in calls_in(events)))


def prompts_in(events: Sequence[RecordedEvent]) -> PromptReader:
    """Return what reads the prompts of a trace with these events."""
    return PromptReader({event.key: event for event in events if event.key})


def call_of(events: Sequence[RecordedEvent], prompts: PromptReader) -> ModelCall:
    """Make a call of its events."""
    told = next((event for event in events if event.has_prompt_ids), None)
    if told is not None:
        return ModelCall(tuple(events), prompts.messages(told), prompts.tools(told))
    asked = next((event for event in events if event.type == "user_message"), None)
    return ModelCall(tuple(events), None if asked is None else listed(asked), () if asked is None else prompts.tools(asked))


def without_end(events: Sequence[RecordedEvent]) -> dict[str, RecordedEvent]:
    """Return the prompts, by the ids of their calls, of which nothing tells an end.

    An error is recorded where it was raised first: any that comes later in the process, in no tool's call, may be such an end.
    """
    waiting: dict[str, RecordedEvent] = {}
    for event in events:
        if event.type == "user_message" and event.call_id is not None:
            waiting[event.call_id] = event
        elif event.type == "llm_response" and event.call_id is not None:
            waiting.pop(event.call_id, None)
        elif event.type == "error" and event.span_id is None:
            waiting = {call_id: asked for call_id, asked in waiting.items() if asked.process != event.process}
    return waiting


def calls_in(events: Sequence[RecordedEvent]) -> Iterator[Sequence[RecordedEvent]]:
    """Yield the events of each call: those with one id; without ids, a prompt with the reasoning and the first answer that follow it.

    Where several prompts wait for an answer, nothing tells whose it is.
    """
    groups: list[list[RecordedEvent]] = []
    by_id: dict[str, list[RecordedEvent]] = {}
    waiting: list[list[RecordedEvent]] = []
    answered: list[RecordedEvent] | None = None
    for event in events:
        if event.type not in _OF_MODELS:
            continue
        if event.call_id is not None:
            if event.call_id not in by_id:
                groups.append(by_id.setdefault(event.call_id, []))
            by_id[event.call_id].append(event)
        elif event.type == "user_message":
            waiting.append([event])
            groups.append(waiting[-1])
        elif event.type in {"llm_thinking", "llm_response"}:
            if answered is None:
                answered = waiting[0] if len(waiting) == 1 else []
                groups += [] if answered else [answered]
                waiting.clear()
            answered.append(event)
            answered = None if event.type == "llm_response" else answered
    yield from (group for group in groups if group[0].call_id or len(group) > 1 or group[0].type != "user_message")
