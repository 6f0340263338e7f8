"""Lines → spans: a response alone makes its whole span; what else a span needs of other lines is joined from what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence

from .._encoding.core import json_reader
from .._wire.read import RecordedEvent, decode
from .conversation import Conversation
from .span import Span
from .turn import Held, Turn
from .turn_spans import Prompt, chat_span, embedding_span, error_span, failed_chat_span, root_span, tool_span, unanswered_span

MOST_TURNS = 1_000
MOST_CONVERSATIONS = 64
QUIET_MICROSECONDS = 60_000_000
"""A turn of which nothing was told for so long, by what other events tell of the time, has ended."""

_REQUESTS = frozenset({"embedding_request", "tool_call_request"})
_ENDS = frozenset({"embedding_response", "tool_call_response"})


class Mapping:
    """Makes spans of lines, in the order in which they are recorded.

    Lines that could not be sent may come again, in any parts: they give the same spans. What is joined is let go of with `settle`, once
    they were sent. The span around a turn comes last: with `ended`, and of all turns with `end_all`. `agent_name` is for lines without one.
    """

    def __init__(self, agent_name: str) -> None:
        self._agent_name = agent_name
        self._turns: dict[tuple[str, str | None], Turn] = {}
        self._conversations: dict[str, Conversation] = {}
        self._ended: dict[tuple[str, str | None], Turn] = {}
        self._past: dict[tuple[str, str | None], Turn] = {}
        self._joined: dict[int, tuple[Held, set[str]]] = {}
        self._latest = 0
        self._last: Turn | None = None
        self._talk: tuple[str, Conversation] | None = None

    def spans(self, lines: Sequence[bytes]) -> list[tuple[int, Span]]:
        """Return the spans that lines make, each with the place of its line."""
        self._joined = {}
        made: list[tuple[int, Span]] = []
        for place, line in enumerate(lines):
            event = RecordedEvent(_object(line))
            if event.trace_id is not None:
                turn = self._turn(event.trace_id, event)
                turn.take(event)
                self._latest = max(self._latest, turn.ended)
                conversation = self._conversation(event.trace_id)
                conversation.take(event, len(line))
                if (span := self._span(event, turn, conversation)) is not None:
                    made.append((place, span))
        return made

    def settle(self) -> None:
        """Let go of what was joined to the spans made last: they were sent."""
        for held, names in self._joined.values():
            for name in names:
                held.pop(name, None)
        self._joined = {}

    def ended(self) -> list[Span]:
        """Return what is left to send of turns that have ended: nothing came of them for long, or a later one of the trace has begun."""
        latest = {turn.trace_id: turn for turn in self._turns.values()}
        for turn in list(self._turns.values()):
            is_old = turn.ended < self._latest - QUIET_MICROSECONDS or len(self._turns) > MOST_TURNS
            if is_old or (turn.has_ended and latest[turn.trace_id] is not turn):
                self._end(turn)
        return self._rest_of_ended()

    @property
    def has_quiet(self) -> bool:
        """Whether something is left to send of turns in which nothing is under way, or that have ended."""
        return bool(self._ended) or any(turn.is_quiet for turn in self._turns.values())

    def end_quiet(self) -> list[Span]:
        """Return what is left to send of turns in which nothing is under way, and of those that have ended."""
        for turn in [turn for turn in self._turns.values() if turn.is_quiet]:
            self._end(turn)
        return self._rest_of_ended()

    def end_all(self) -> list[Span]:
        """Return what is left to send of all turns: no line follows."""
        for turn in list(self._turns.values()):
            self._end(turn)
        return self._rest_of_ended()

    @property
    def unsent(self) -> list[str]:
        """The traces of turns that have ended and are not forgotten, one for each turn."""
        return [trace_id for trace_id, _ in self._ended]

    def forget_ended(self) -> None:
        """Note that what was left of the turns that have ended was sent. A line that comes late after all adds to its turn."""
        for key, turn in self._ended.items():
            turn.requests.clear()
            turn.errors.clear()
            self._past[key] = turn
        self._ended = {}
        for key in list(self._past)[:-MOST_TURNS]:
            del self._past[key]

    def _rest_of_ended(self) -> list[Span]:
        return [span for turn in self._ended.values() for span in _rest(turn)]

    def _span(self, event: RecordedEvent, turn: Turn, conversation: Conversation) -> Span | None:
        span_id = event.span_id or event.key or ""
        if event.type in _REQUESTS:
            turn.hold(turn.requests, span_id, event)
        elif event.type in _ENDS:
            request, error = self._join(turn.requests, span_id), self._join(turn.errors, span_id)
            return tool_span(turn, event, error) if event.type == "tool_call_response" else embedding_span(turn, event, request)
        elif event.type == "llm_thinking":
            turn.hold(turn.thoughts, event.key or "", event)
        elif event.type == "llm_response":
            turn.note_answered(event.call_id or "")
            return chat_span(turn, event, _prompt(event, conversation), self._thinking(turn, event))
        elif event.type == "error":
            return self._error_span(event, turn, conversation)
        return None

    def _error_span(self, error: RecordedEvent, turn: Turn, conversation: Conversation) -> Span | None:
        """Return the span of an error, unless it is held for that of its call."""
        if error.span_id is not None:
            turn.hold(turn.errors, error.span_id, error)
            return None
        call_id = error.call_id
        if call_id is None or call_id in turn.answered:
            return error_span(turn, error)
        if (request := self._join(turn.requests, call_id)) is not None:
            return unanswered_span(turn, request, error)
        return failed_chat_span(turn, error, _prompt(error, conversation))

    def _thinking(self, turn: Turn, answer: RecordedEvent) -> list[object]:
        """Return the reasoning of an answer: what has its call's id, of those without any all that waits."""
        if not turn.thoughts:
            return []
        found = [key for key, thought in turn.thoughts.items() if thought.call_id == answer.call_id]
        return [thought.thinking for key in found if (thought := self._join(turn.thoughts, key)) is not None]

    def _join(self, held: Held, name: str) -> RecordedEvent | None:
        """Return what is held under a name, once; it stays held until the span that it is joined to was sent."""
        if name not in held:
            return None
        joined = self._joined.setdefault(id(held), (held, set()))[1]
        if name in joined:
            return None
        joined.add(name)
        return held[name]

    def _turn(self, trace_id: str, event: RecordedEvent) -> Turn:
        key = (trace_id, event.run_id)
        if (turn := self._turns.get(key)) is not None and turn is self._last:
            return turn
        turn = self._turns.pop(key, None) or self._ended.pop(key, None) or self._past.pop(key, None)
        if turn is None:
            turn = Turn(trace_id, event.root_trace_id or trace_id, event.run_id, event.agent_name or self._agent_name)
        self._turns[key] = self._last = turn  # the latest one last
        return turn

    def _end(self, turn: Turn) -> None:
        key = (turn.trace_id, turn.run_id)
        self._ended[key] = self._turns.pop(key)
        if len(self._ended) > MOST_TURNS:
            del self._ended[next(iter(self._ended))]

    def _conversation(self, trace_id: str) -> Conversation:
        if self._talk is not None and self._talk[0] == trace_id and self._talk[1].is_within_bounds:
            return self._talk[1]
        conversation = self._conversations.pop(trace_id, None) or Conversation()
        self._conversations[trace_id] = conversation = conversation.within_bounds()
        self._talk = (trace_id, conversation)
        if len(self._conversations) > MOST_CONVERSATIONS:
            del self._conversations[next(iter(self._conversations))]
        return conversation


def _prompt(event: RecordedEvent, conversation: Conversation) -> Prompt:
    """Return what is known of what a model was asked, of which an answer or an error is the end."""
    asked = conversation.asked(event)
    told = event if event.has_prompt_ids or asked is None else asked
    return Prompt(asked, conversation.prompt(event, asked), conversation.offered(told))


def _rest(turn: Turn) -> list[Span]:
    """Return the spans of calls that have no end, of errors that were no call's after all, and the one around all others."""
    errors = dict(turn.errors)
    calls = [unanswered_span(turn, request, errors.pop(name, None)) for name, request in turn.requests.items()]
    root = root_span(turn)
    return [*calls, *(error_span(turn, error) for error in errors.values()), *(() if root is None else (root,))]


def _object(line: bytes) -> dict[str, object]:
    """Return what a line holds."""
    try:
        held = json_reader()(line)
    except (ValueError, RecursionError):  # halves of characters, more levels than it takes, or no JSON at all
        held = decode(line)
    return held if isinstance(held, dict) else {}
