"""What recording needs of a client, and all that it knows of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from .._config.defaults import MAX_VALUE_BYTES
from .._encoding import Encode
from .._wire.timestamps import EventClock, Moments
from .ids import Ids, process_ids
from .prompts import PromptMemory

_TRACES = 1_000
"""So many traces are remembered with the last time that they were given, should another trace object be made for one."""

_PROMPTS = 64
"""So many traces are remembered with what was recorded of their prompts."""

Lose = Callable[[str, str, int], None]
"""Counts events of a trace, by its id, that could not be recorded: why, and how many."""


def lose_uncounted(trace_id: str, reason: str, events: int) -> None:
    """Count nothing."""


def _new_moments(_trace_id: str) -> Moments:
    return Moments()


def _new_memory(_trace_id: str) -> PromptMemory:
    return PromptMemory()


class TraceEnd(Protocol):
    """Waits, within bounds, until what the trace recorded is delivered: for processes that freeze once the work is done."""

    def wait(self) -> None:
        """Wait in this thread."""

    async def wait_async(self) -> None:
        """Wait without blocking the event loop."""


class Recorder:
    """Names the agent, encodes values, takes lines. One per client; `enabled` is False where nothing is recorded.

    `record` accepts a finished line; `lose` counts events that could not be recorded. `at_trace_end`, if there is one, is waited for when
    the outermost block of a trace was left. `reduce` says how the recorder is pickled.
    """

    __slots__ = (
        "agent_name",
        "at_trace_end",
        "capture_content",
        "capture_prompts",
        "clock",
        "enabled",
        "encode",
        "ids",
        "lose",
        "max_value_bytes",
        "moments_of",
        "prompts_of",
        "record",
        "record_steps",
        "reduce",
    )

    def __init__(
        self,
        *,
        agent_name: str,
        encode: Encode,
        record: Callable[[bytes], None],
        lose: Lose = lose_uncounted,
        enabled: bool = True,
        capture_content: bool = True,
        capture_prompts: bool = True,
        record_steps: bool = False,
        max_value_bytes: int = MAX_VALUE_BYTES,
        at_trace_end: TraceEnd | None = None,
        clock: EventClock | None = None,
        ids: Ids = process_ids,
        reduce: Callable[[], tuple[object, ...]] | None = None,
    ) -> None:
        self.agent_name: str = agent_name
        self.encode: Encode = encode
        self.record: Callable[[bytes], None] = record
        self.lose: Lose = lose
        self.enabled: bool = enabled
        self.capture_content: bool = capture_content
        self.capture_prompts: bool = capture_prompts
        self.record_steps: bool = record_steps
        self.max_value_bytes: int = max_value_bytes
        self.at_trace_end: TraceEnd | None = at_trace_end
        self.clock: EventClock = clock or EventClock()
        self.moments_of: Callable[[str], Moments] = lru_cache(maxsize=_TRACES)(_new_moments)
        self.prompts_of: Callable[[str], PromptMemory] = lru_cache(maxsize=_PROMPTS)(_new_memory)
        self.ids: Ids = ids
        self.reduce: Callable[[], tuple[object, ...]] | None = reduce

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as the client says, so that its settings go along and its key does not."""
        if self.reduce is None:
            raise TypeError("This recorder belongs to no client, and can't be pickled.")
        return self.reduce()

    def shown(self, value: object) -> object:
        """Return `value`, or a marker of its size where contents are not to be recorded."""
        return value if self.capture_content or value is None else f"[not captured: {len(self.encode(value)[0])} bytes]"
