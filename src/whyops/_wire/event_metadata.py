"""What the metadata of an event tells, whichever type it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .actor import Actor, agent_in
from .once import once
from .used import count_of
from .values import as_mapping, as_sequence, as_text

_OTHER_ENDS = frozenset({"closedEarly", "interrupted", "unanswered"})


class EventMetadata:
    """Reads the `metadata` of an event. `raw` is the event as it was recorded."""

    raw: Mapping[str, object]
    metadata: Mapping[str, object]

    @once
    def truncated(self) -> int:
        """How many values were cut when this was recorded."""
        return _marks(self.metadata.get("truncated")) if "truncated" in self.metadata else 0

    @once
    def redacted(self) -> int:
        """How many values were taken out because they may be secret."""
        return _marks(self.metadata.get("redacted")) if "redacted" in self.metadata else 0

    @once
    def call_id(self) -> str | None:
        """The id that prompt, reasoning, answer and error of one model's call have in common."""
        return as_text(self.metadata.get("callId"))

    @property
    def run_id(self) -> str | None:
        """The turn that the event is part of: the block of the trace, or the run of a framework, that it was recorded in."""
        return as_text(self.metadata.get("runId"))

    @property
    def parent_trace_id(self) -> str | None:
        """The trace of another agent that asked for this one: the span around the event is in that."""
        return as_text(self.metadata.get("parentTraceId"))

    @property
    def root_trace_id(self) -> str | None:
        """The first of the traces of other agents of which one asked for the next, and the last for this one."""
        return as_text(self.metadata.get("rootTraceId")) or self.parent_trace_id

    @property
    def traceparent(self) -> str | None:
        """The application's own span in which the block was opened, as W3C's header names it; in a block's first event."""
        return as_text(self.metadata.get("traceparent"))

    @property
    def provider(self) -> str | None:
        """The provider's name."""
        return as_text(self.metadata.get("provider"))

    @property
    def params(self) -> Mapping[str, object]:
        """The parameters of a model's call."""
        return as_mapping(self.metadata.get("params"))

    @property
    def prompt_ids(self) -> Sequence[object]:
        """The ids of a prompt's messages, in order, where it is told by ids."""
        return as_sequence(self.metadata.get("promptIds"))

    @property
    def has_prompt_ids(self) -> bool:
        """Whether the messages of a prompt are told by ids."""
        return isinstance(self.metadata.get("promptIds"), list)

    @property
    def offered(self) -> int | None:
        """How many tools the model was offered, where that was recorded."""
        tools = self.metadata.get("tools")
        return None if tools is None else len(as_sequence(tools))

    @property
    def tools(self) -> Sequence[object]:
        """The tools that a model was offered, as they were recorded with this prompt."""
        return as_sequence(self.metadata.get("tools"))

    @property
    def tools_from(self) -> str | None:
        """The key of the earlier prompt with which the tools were recorded that a model was offered with this one."""
        return as_text(self.metadata.get("toolsFrom"))

    @property
    def first_token_ms(self) -> float | None:
        """How long the first token of an answer took to come."""
        value = self.metadata.get("timeToFirstTokenMs")
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 2**53 else None

    @property
    def reasoning_tokens(self) -> int | None:
        """How many tokens of an answer are reasoning."""
        return count_of(self.metadata.get("reasoningTokens")) or None

    @property
    def model(self) -> str | None:
        """The model's name."""
        return as_text(self.metadata.get("model"))

    @property
    def tool_call_id(self) -> str | None:
        """The id under which a model chose the call that this is an event of."""
        return as_text(self.metadata.get("tool_call_id"))

    @once
    def actor(self) -> Actor:
        """Who acts."""
        return Actor.of(self.metadata)

    @property
    def interrupted(self) -> str | None:
        """What stopped a call from outside before it came to a result, such as `CancelledError`; None if nothing did."""
        return as_text(self.metadata.get("interrupted"))

    @property
    def stands_for(self) -> str | None:
        """What a tool's event that is no tool's stands for: a `run`, a `step`, an `answer` or a `question`."""
        return as_text(self.metadata.get("stands_for"))

    @property
    def is_structured_answer(self) -> bool:
        """Whether the tool calls of a model's answer are the answer itself, in a form that was asked for."""
        return self.metadata.get("structured_output") is True

    @property
    def is_unanswered(self) -> bool:
        """Whether it stands for an answer of which nothing was told."""
        return self.metadata.get("unanswered") is True

    @property
    def closed_early(self) -> bool:
        """Whether a generator's reader left it before its end: the result is what was yielded until then."""
        return self.metadata.get("closedEarly") is True

    @property
    def acting_agent(self) -> str | None:
        """Which of several agents acts, where a framework tells it."""
        return agent_in(self.metadata)

    @property
    def ended_by_itself(self) -> bool:
        """Whether nothing says that a call was interrupted, closed early, or left without an answer."""
        return _OTHER_ENDS.isdisjoint(self.metadata)


def _marks(value: object) -> int:
    """Read a mark that says how many, which ones, or only that."""
    if isinstance(value, bool):
        return int(value)
    return count_of(value) or len(as_sequence(value)) or len(as_mapping(value))
