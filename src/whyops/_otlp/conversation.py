"""What was said in a trace so far, as far as it is kept: from it each model's call is given the prompt that it was asked with."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from .._wire.prompt import PromptMessage, PromptReader, listed, quoted
from .._wire.read import RecordedEvent
from .asked import definitions
from .attributes import MAX_DEPTH, json_bytes
from .messages import input_messages

MOST_BYTES = 4_000_000
"""So long lines of one trace are kept; then the older half is forgotten, and what prompts quote of it is a gap."""

_SAYS = frozenset({"llm_response", "tool_call_response", "tool_result", "user_message"})


class Conversation:
    """The events of one trace that later prompts may quote. Taking one twice changes nothing."""

    __slots__ = ("_by_call", "_by_key", "_offered", "_order", "_reader", "_said", "_size", "_sizes", "_texts")

    def __init__(self) -> None:
        self._by_key: dict[str, RecordedEvent] = {}
        self._by_call: dict[str, RecordedEvent] = {}
        self._offered: dict[str, bytes | None] = {}
        self._order: dict[str | None, _Said] = {}
        self._texts: dict[int, tuple[PromptMessage, bytes]] = {}
        self._reader = PromptReader(self._by_key)
        self._said: dict[str, Sequence[PromptMessage]] = {}
        self._size = 0
        self._sizes: dict[str, int] = {}

    def take(self, event: RecordedEvent, size: int) -> None:
        """Keep what an event says, whose line is so many bytes long."""
        if event.type not in _SAYS:
            return
        key = event.key
        if key is None or key in self._by_key:
            return
        self._size += size
        self._sizes[key] = size
        self._by_key[key] = event
        if event.type == "user_message":
            for name in (event.call_id, event.span_id):
                if name is not None:
                    self._by_call[name] = event
        if event.call_id is None:
            said = self._order.get(event.run_id)
            if said is None:
                said = self._order[event.run_id] = _Said()
            said.add(event)

    @property
    def is_within_bounds(self) -> bool:
        """Whether it is short enough to be kept."""
        return self._size <= MOST_BYTES

    def within_bounds(self) -> Conversation:
        """Return it, or if it is too long one that holds the later half of it."""
        if self.is_within_bounds:
            return self
        rest = MOST_BYTES // 2
        kept: list[tuple[RecordedEvent, int]] = []
        for key, event in reversed(self._by_key.items()):
            rest -= self._sizes[key]
            if rest < 0 and kept:
                break
            kept.append((event, self._sizes[key]))
        later = Conversation()
        for event, size in reversed(kept):
            later.take(event, size)
        return later

    def asked(self, event: RecordedEvent) -> RecordedEvent | None:
        """Return the prompt's event of a model's call, by what they have in common."""
        return self._by_call.get(event.call_id or "") or self._by_call.get(event.span_id or "")

    def offered(self, asked: RecordedEvent) -> bytes | None:
        """Return the tools that a model was offered with a prompt, as the JSON of their definitions in UTF-8; None for none."""
        if asked.tools_from is None and not asked.tools:
            return None
        holder = asked if asked.tools_from is None else self._by_key.get(asked.tools_from, asked)
        key = holder.key or ""
        if key not in self._offered:
            self._offered[key] = definitions(holder.tools)
        return self._offered[key]

    def prompt(self, event: RecordedEvent, asked: RecordedEvent | None) -> bytes | None:
        """Return the prompt that an answer, or an error, is the end of, as the JSON of its messages in UTF-8; None if nothing tells of it.

        Without anything in common with a prompt (`asked`) it is what was said since a user spoke last, and before the answer.
        """
        told = event if event.has_prompt_ids else asked
        if told is not None:
            return self._written(self._reader.messages(told) if told.has_prompt_ids else self._said_in(told))
        return None if event.call_id is not None else self._written(self._before(event))

    def _before(self, event: RecordedEvent) -> Sequence[PromptMessage]:
        said = self._order.get(event.run_id)
        found = () if said is None else said.before(event)
        return [message for one in found for message in self._said_in(one)]

    def _said_in(self, event: RecordedEvent) -> Sequence[PromptMessage]:
        """Return the messages of a prompt that was recorded whole, or the one that another event is; each time the same."""
        key = event.key or ""
        if key not in self._said:
            self._said[key] = listed(event) if event.type == "user_message" else (quoted(event),)
        return self._said[key]

    def _written(self, messages: Sequence[PromptMessage]) -> bytes | None:
        """Return messages as JSON; each is written once, however many prompts begin with it."""
        if not messages:
            return None
        texts = []
        for message in messages:
            kept = self._texts.get(id(message))
            if kept is None:
                written = b",".join(json_bytes(one, MAX_DEPTH - 1) for one in input_messages(message))
                kept = self._texts[id(message)] = (message, written)
            texts.append(kept[1])
        return b"[%b]" % b",".join(texts)


class _Said:
    """What was said in a turn, by events that name no call of a model, in their order. `_prompts` are the places of those that ask."""

    __slots__ = ("_events", "_prompts")

    def __init__(self) -> None:
        self._events: list[RecordedEvent] = []
        self._prompts: list[int] = []

    def add(self, event: RecordedEvent) -> None:
        """Note the next event."""
        if event.type == "user_message":
            self._prompts.append(len(self._events))
        self._events.append(event)

    def before(self, event: RecordedEvent) -> Sequence[RecordedEvent]:
        """Return the last prompt before an event, and what was said from there on to a model: not what tools call inside."""
        events, key = self._events, event.key
        end = len(events)
        if end and events[-1].key == key:
            end -= 1
        elif key is not None:
            end = next((place for place, one in enumerate(events) if one.key == key), end)
        place = bisect_left(self._prompts, end)
        if not place:
            return ()
        inside = event.parent_span_id
        said = events[self._prompts[place - 1] : end]
        return [one for one in said if one.type != "tool_call_response" or one.parent_span_id == inside]
