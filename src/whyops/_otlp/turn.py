"""What of a turn is not told by a line alone: its question and answer, calls that are open, reasoning and errors until they are joined."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._wire.prompt import is_of_user
from .._wire.read import RecordedEvent
from .attributes import MAX_CONVERSATION
from .ids import linked, root_id_of, trace_id_of
from .messages import text_of
from .span import Common, Value

MOST_HELD = 1_000
"""So many calls, errors and thoughts of one turn wait to be joined; then the oldest is let go."""

_MOST_COMMON = 16
_HAVE_LENGTH = frozenset({"embedding_response", "llm_response", "tool_call_response"})

Held = dict[str, RecordedEvent]


@dataclass(slots=True, eq=False)
class Turn:
    """One turn: the events of a trace with one `runId`, or those without. Times are in microseconds since 1970.

    `requests` are calls without an end, by their spans; `errors` those of calls, by their spans; `thoughts` reasoning without an answer, by
    the keys of its events; `answered` the ids of models' calls that have an answer. `is_asking` tells that nothing came after a prompt.
    `tree` is the trace that ids are derived from: the one in which all began, if another agent asked for this one, else its own.
    """

    trace_id: str
    tree: str
    run_id: str | None
    agent: str
    user: str | None = None
    began: int | None = None
    ended: int = 0
    question: str | None = None
    answer: str | None = None
    failure: str | None = None
    links: tuple[tuple[bytes, bytes], ...] = ()
    requests: Held = field(default_factory=dict)
    errors: Held = field(default_factory=dict)
    thoughts: Held = field(default_factory=dict)
    answered: dict[str, None] = field(default_factory=dict)
    is_asking: bool = False
    otlp_id: bytes = field(init=False)
    """The id of its trace in OpenTelemetry."""

    root_id: bytes = field(init=False)
    """The id there of the span around all others."""

    _asked_at: int | None = None
    _answered_at: int = -1
    _common: dict[tuple[str, str | None], Common] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.otlp_id, self.root_id = trace_id_of(self.tree, self.run_id), root_id_of(self.tree, self.run_id)

    def common(self, agent: str | None) -> Common:
        """Return what all spans have in common in which this one of several agents acts, or the only one."""
        name = agent or self.agent
        known = self._common.get((name, self.user))
        if known is None:
            attributes: dict[str, Value] = {
                "gen_ai.conversation.id": self.tree[:MAX_CONVERSATION],
                "gen_ai.agent.name": name,
                "whyops.trace_id": self.trace_id,
            }
            known = Common(attributes if self.user is None else {**attributes, "user.id": self.user})
            self._common = {**dict(list(self._common.items())[-_MOST_COMMON:]), (name, self.user): known}
        return known

    def take(self, event: RecordedEvent) -> None:
        """Note what an event says of the turn. Taking one twice changes nothing."""
        self.agent = event.agent_name or self.agent
        self.user = event.external_user_id or self.user
        at, kind = event.at, event.type
        if at is None:
            return
        if self.began is None or kind in _HAVE_LENGTH:
            began = at if event.began_at is None else event.began_at
            self.began = began if self.began is None or began < self.began else self.began
        if at >= self.ended:
            self.ended = at
            self.failure = event.failure if kind == "error" else None
            self.is_asking = kind == "user_message"
        if (given := event.traceparent) is not None and (link := linked(given)) is not None:
            self.links = (link,)
        if kind == "user_message":
            self._take_question(event, at)
        elif kind == "llm_response" and not event.tool_calls:
            self._take_answer(event.answer, at)
        elif kind == "tool_result" and event.stands_for == "answer":
            self._take_answer(event.result, at)

    def hold(self, held: Held, name: str, event: RecordedEvent) -> None:
        """Keep an event until it is joined."""
        held[name] = event
        if len(held) > MOST_HELD:
            del held[next(iter(held))]

    def note_answered(self, call_id: str) -> None:
        """Note that a model's call has an answer."""
        self.answered[call_id] = None
        if len(self.answered) > MOST_HELD:
            del self.answered[next(iter(self.answered))]

    @property
    def has_ended(self) -> bool:
        """Whether it looks so: there is an answer, and no call is open."""
        return self.answer is not None and not self.requests

    @property
    def is_quiet(self) -> bool:
        """Whether nothing seems to be under way: no call is open, and no model is being asked."""
        return not self.requests and not self.is_asking

    def _take_question(self, event: RecordedEvent, at: int) -> None:
        if (self._asked_at is not None and at >= self._asked_at) or not is_of_user(event):
            return
        said = [text for one in event.messages if one.role == "user" and (text := text_of(one.content))]
        if said:
            self.question, self._asked_at = said[-1], at

    def _take_answer(self, answer: object, at: int) -> None:
        text = text_of(answer)
        if text is not None and at >= self._answered_at:
            self.answer, self._answered_at = text, at
