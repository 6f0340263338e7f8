"""The events of a trace → `RecordedTrace`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from .._printable import counted
from .._wire.names import UNKNOWN
from .._wire.read import RecordedEvent
from .._wire.used import Usage, summed
from .build import decision_path
from .model_calls import ModelCall, model_calls, without_end
from .order import in_order
from .steps import Step, ToolCall, walked


@dataclass(frozen=True)
class Totals:
    """Sums over a trace. `errors` counts failed calls and errors outside calls; `open_calls` those without a response."""

    events: int
    calls: int
    errors: int
    open_calls: int
    usage: Usage
    truncated: int
    redacted: int


def _is_its_own_failure(step: Step) -> bool:
    """Tell whether what went wrong in a step is its own; a run or a step of a framework's around a failed call has not failed once more."""
    return not (isinstance(step, ToolCall) and step.stands_for is not None and all(event.type != "error" for event in step.events))


def _cut_off(events: Sequence[RecordedEvent], is_alive: Callable[[str], bool | None]) -> frozenset[str]:
    """Return the ids of the models' calls without an end whose processes have ended."""
    asked = without_end(events)
    ended = {process for process in {event.process for event in asked.values()} if process and is_alive(process) is False}
    return frozenset(call_id for call_id, event in asked.items() if event.process in ended)


@dataclass(frozen=True)
class DeliveryStatus:
    """What became of a trace's events that the trace may lack, in numbers of events.

    `waiting`: not delivered yet. `rejected`: permanently, by the service, for each reason. `left_out`: delivered, and not kept by the
    service, which stores a share of the traces. `not_recorded`: lost before they were recorded, to a wrong call or a full outbox. `dropped`
    and `lost` are events of the same agent whose trace is not known: dropped because the outbox was full, or not recorded for another
    reason. `unread`: the service has them, and did not show them. `not_asked` says why the service could not be queried, if it was to be.
    """

    waiting: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0
    dropped: int = 0
    not_recorded: int = 0
    lost: int = 0
    unread: int = 0
    not_asked: str = ""


ALL_DELIVERED = DeliveryStatus()


@dataclass(frozen=True, repr=False)
class RecordedTrace:
    """One run of an agent, as it was recorded: `events` in order of time, `steps` the decision path that they make up."""

    MAX_DEPTH: ClassVar[int] = 40
    """Steps nested deeper than this are shown at this depth."""
    _to_html: ClassVar[Callable[[RecordedTrace], str]] = repr
    """What renders a trace in a notebook; `_load` sets it, as renderers import this module."""

    trace_id: str
    events: tuple[RecordedEvent, ...] = ()
    steps: tuple[Step, ...] = ()
    delivery: DeliveryStatus = ALL_DELIVERED
    cut_off: frozenset[str] = frozenset()
    """The ids of the models' calls whose processes are known to have ended before them."""

    @classmethod
    def from_events(
        cls,
        events: Iterable[Mapping[str, object] | RecordedEvent],
        trace_id: str | None = None,
        delivery: DeliveryStatus = ALL_DELIVERED,
        is_alive: Callable[[str], bool | None] | None = None,
    ) -> RecordedTrace:
        """Make a trace of its events, given in the order in which they came in; they may lack anything.

        `is_alive` tells of the process that an idempotency key begins with whether it still runs; None if that is not known.
        """
        ordered = in_order([event if isinstance(event, RecordedEvent) else RecordedEvent(event) for event in events])
        name = trace_id or next((event.trace_id for event in ordered if event.trace_id), UNKNOWN)
        cut_off = frozenset() if is_alive is None else _cut_off(ordered, is_alive)
        return cls(name, ordered, decision_path(ordered, cls.MAX_DEPTH, cut_off), delivery, cut_off)

    @property
    def agent_name(self) -> str | None:
        """The agent's name."""
        return next((event.agent_name for event in self.events if event.agent_name), None)

    @property
    def external_user_id(self) -> str | None:
        """The user, the first one given."""
        return next((event.external_user_id for event in self.events if event.external_user_id), None)

    @property
    def parent_trace_id(self) -> str | None:
        """The trace of another agent that this one's work was sent from, in another process; None if it is a whole."""
        return next((around for event in self.events if "parentTraceId" in event.metadata and (around := event.parent_trace_id)), None)

    @cached_property
    def started_at(self) -> int | None:
        """When the trace's block was opened or its first step began, in microseconds since 1970."""
        return min((event.began_at for event in self.events if event.began_at is not None), default=None)

    @cached_property
    def ended_at(self) -> int | None:
        """The last event's time, in microseconds since 1970."""
        return max((event.at for event in self.events if event.at is not None), default=None)

    @property
    def duration_ms(self) -> float:
        """The time from where the trace's block was opened, or the first step began, to the last event."""
        started, ended = self.started_at, self.ended_at
        return 0.0 if started is None or ended is None else (ended - started) / 1000

    def __repr__(self) -> str:
        totals = self.totals
        counts = (counted(totals.events, "event"), counted(totals.calls, "tool call"), counted(totals.errors, "error"))
        return f"<RecordedTrace {self.trace_id!r}: {', '.join(counts)}>"

    def _repr_html_(self) -> str:
        """Show the trace in a notebook."""
        return RecordedTrace._to_html(self)

    def walk(self) -> Iterator[Step]:
        """Yield all steps, each before those inside it."""
        return iter(self._all_steps)

    @cached_property
    def _all_steps(self) -> tuple[Step, ...]:
        return tuple(walked(self.steps))

    @cached_property
    def calls(self) -> tuple[ToolCall, ...]:
        """All tool calls, nested ones too, in order; not what is recorded as one and is a run or a step of a framework's."""
        return tuple(step for step in self.walk() if isinstance(step, ToolCall) and step.stands_for is None)

    @cached_property
    def model_calls(self) -> tuple[ModelCall, ...]:
        """All calls of models, each with the prompt that it was asked with, in order."""
        return model_calls(self.events, self.cut_off)

    @cached_property
    def totals(self) -> Totals:
        """The sums."""
        is_marked = any(event.is_marked for event in self.events)
        return Totals(
            events=len(self.events),
            calls=len(self.calls),
            errors=sum(step.error is not None and _is_its_own_failure(step) for step in self.walk()),
            open_calls=sum(not call.is_finished for call in self.calls),
            usage=summed(event.usage for event in self.events if "usage" in event.metadata),
            truncated=sum(step.truncated for step in self.walk()) if is_marked else 0,
            redacted=sum(step.redacted for step in self.walk()) if is_marked else 0,
        )
