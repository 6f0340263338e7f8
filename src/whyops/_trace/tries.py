"""Which calls of a model ask the same again, after there was no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from .._wire.prompt import PromptMessage, PromptReader, prompt_length
from .._wire.read import RecordedEvent, key_parts
from .model_calls import call_of, calls_in, prompts_in
from .step_context import Rank


def tries(events: Sequence[RecordedEvent]) -> dict[str, Rank]:
    """Return, by the id of each call that is one of several tries of a prompt, which of them it is.

    A call is tried again by the first one that begins after it failed, or was interrupted, with the same messages, all of which are
    known: in the same model or in another.
    """
    if not any(map(_ends_badly, events)):
        return {}
    prompts = prompts_in(events)
    places = {id(event): place for place, event in enumerate(events)}
    chains: list[list[_Call]] = []
    for call in (_Call(group, prompts, places) for group in calls_in(events) if group[0].call_id):
        chain = next((chain for chain in reversed(chains) if call.tries_again(chain[-1])), None)
        if chain is not None:
            chain.append(call)
        elif call.failure is not None:
            chains.append([call])
    return {call.id: Rank(number, len(chain)) for chain in chains if len(chain) > 1 for number, call in enumerate(chain, 1)}


class _Call:
    """A call whose prompt is put together only if it may be another's: that takes time."""

    def __init__(self, events: Sequence[RecordedEvent], prompts: PromptReader, places: Mapping[int, int]) -> None:
        self.id = events[0].call_id or ""
        self.failure = next(filter(_ends_badly, events), None)
        self._events = events
        self._prompts = prompts
        self._places = places

    @cached_property
    def prompt(self) -> tuple[PromptMessage, ...] | None:
        """The messages, if all of them are known."""
        call = call_of(self._events, self._prompts)
        return None if call.missing else call.prompt

    @cached_property
    def length(self) -> int:
        """How many messages the prompt has."""
        return prompt_length(next((event for event in self._events if event.has_prompt_ids), self._events[0]))

    def tries_again(self, before: _Call) -> bool:
        """Tell whether this asks what another call had asked that failed before it."""
        if before.failure is None or self.length != before.length or not self._begins_after(before.failure):
            return False
        return bool(self.prompt) and self.prompt == before.prompt

    def _begins_after(self, failure: RecordedEvent) -> bool:
        """Tell whether the call began when another had failed: its id, if we made it, has the number of its beginning."""
        began, failed = key_parts(self.id), failure.key_parts
        if began.process and began.process == failed.process:
            return began.number > failed.number
        return self._places[id(self._events[0])] > self._places[id(failure)]


def _ends_badly(event: RecordedEvent) -> bool:
    kind = event.type
    is_end = kind == "error" or (kind == "llm_response" and event.interrupted is not None)
    return is_end and event.call_id is not None
