"""The calls of models in a trace, each with the prompt that it was asked with, put together again from the events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .._wire.prompt import ModelToolCall, PromptMessage, asked_for, listed, prompt_of, tools_of
from .._wire.read import RecordedEvent, as_mapping, as_text
from .._wire.used import Usage
from .._wire.write import UNKNOWN

_OF_MODELS = frozenset({"user_message", "llm_thinking", "llm_response", "error"})


@dataclass(frozen=True, repr=False)
class ModelCall:
    """One call of a model: `events` are its prompt, reasoning, answers and error, as far as they were recorded, in order of time."""

    events: tuple[RecordedEvent, ...]
    prompt: tuple[PromptMessage, ...] | None
    """The messages as they went to the model, in order; one that is not recorded here says so. None, if nothing tells of the prompt."""
    tools: tuple[str, ...]
    """The names of the tools that were offered."""

    @property
    def id(self) -> str | None:
        """What its events have in common; None where it was recorded without."""
        return self.events[0].call_id

    @property
    def model(self) -> str:
        """The model's name."""
        return next((event.model for event in self._answers if event.model), UNKNOWN)

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
        return next((asked_for(event) for event in self._answers), ())

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped."""
        return next((event.finish_reason for event in self._answers), None)

    @cached_property
    def usage(self) -> Usage:
        """The tokens that were used."""
        return sum((event.usage for event in self._answers), Usage())

    @property
    def error(self) -> str | None:
        """What went wrong; None if nothing did."""
        return next((event.failure for event in self.events if event.type == "error"), None)

    @property
    def interrupted(self) -> str | None:
        """What stopped the answer before its end, `closed early` where its reader left it; None if nothing did.

        `no answer recorded`, where the call ended and nobody told what it gave.
        """
        early = "closed early" if any(event.closed_early for event in self._answers) else None
        early = "no answer recorded" if any(event.is_unanswered for event in self._answers) else early
        return next((event.interrupted for event in self._answers if event.interrupted), early)

    @property
    def agent(self) -> str | None:
        """The agent that asked, where a framework tells."""
        return self._label("lc_agent_name", "agent")

    @property
    def node(self) -> str | None:
        """The node of a graph, or the step of a workflow, that asked."""
        return self._label("langgraph_node", "step")

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

    def _label(self, *names: str) -> str | None:
        return next((text for event in self.events for name in names if (text := as_text(event.metadata.get(name)))), None)


def model_calls(events: Sequence[RecordedEvent]) -> tuple[ModelCall, ...]:
    """Return the calls, in order of their first events."""
    by_key = {event.key: event for event in events if event.key}
    return tuple(_call(group, by_key) for group in _groups(events))


def _call(events: Sequence[RecordedEvent], by_key: Mapping[str, RecordedEvent]) -> ModelCall:
    told = next((event for event in events if event.has_prompt_ids), None)
    if told is not None:
        return ModelCall(tuple(events), prompt_of(told, by_key), tools_of(told, by_key))
    asked = next((event for event in events if event.type == "user_message"), None)
    return ModelCall(tuple(events), None if asked is None else listed(asked), () if asked is None else tools_of(asked, by_key))


def _groups(events: Sequence[RecordedEvent]) -> Iterator[Sequence[RecordedEvent]]:
    """Yield the events of each call: those with one id; without ids, a prompt with the reasoning and the first answer that follow it.

    Where several prompts wait for an answer, nothing tells whose it is.
    """
    groups: list[list[RecordedEvent]] = []
    by_id: dict[str, list[RecordedEvent]] = {}
    waiting: list[list[RecordedEvent]] = []
    answered: list[RecordedEvent] | None = None
    for event in events:
        if event.call_id is not None and event.type in _OF_MODELS:
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
