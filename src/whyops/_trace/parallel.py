"""Questions that models were asked at the same time → each with what answers it, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._wire.prompt import holder_of
from .draft import Draft
from .step_context import Rank
from .steps import ErrorStep, LLMResponse, UserMessage


def in_pairs(drafts: Sequence[Draft]) -> list[Draft]:
    """Put what answers a question behind it where several were open at once; all else stays in order of time."""
    if sum(draft.kind is UserMessage for draft in drafts) < 2:
        return [*drafts]
    ends = {draft.call_id for draft in drafts if draft.kind in (LLMResponse, ErrorStep)}
    placed: list[Draft] = []
    group = _Group()
    for draft in drafts:
        if draft.kind is UserMessage:
            if not (group.is_open and draft.call_id in ends):
                placed += group.closed()
                group = _Group()
            group.ask(draft, has_end=draft.call_id is not None and draft.call_id in ends)
        else:
            group.add(draft)
    return [*placed, *group.closed()]


class _Group:
    """Questions of which each was asked while one before it was open, and what came behind them."""

    def __init__(self) -> None:
        self._asked: list[Draft] = []
        self._behind: list[list[Draft]] = [[]]  # what came before any question, then what belongs to each
        self._open: set[str | None] = set()
        self._place_of_call: dict[str, int] = {}
        self._place_of_key: dict[str, int] = {}
        self._place_of_choice: dict[str, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether a question has no answer yet."""
        return bool(self._open)

    def ask(self, draft: Draft, *, has_end: bool) -> None:
        """Take note of a question."""
        self._asked.append(draft)
        self._behind.append([])
        if has_end:
            self._open.add(draft.call_id)
        if draft.call_id is not None:
            self._place_of_call[draft.call_id] = len(self._asked)
        self._note(draft, len(self._asked))

    def add(self, draft: Draft) -> None:
        """Put what is no question with the one that it belongs to; where nothing tells, with the latest."""
        place = self._place_of(draft)
        self._behind[place].append(draft)
        self._note(draft, place)
        if draft.kind in (LLMResponse, ErrorStep):
            self._open.discard(draft.call_id)

    def closed(self) -> Iterable[Draft]:
        """Return the questions, each with what belongs to it."""
        if len(self._asked) > 1:
            for number, draft in enumerate(self._asked, 1):
                draft.parallel = Rank(number, len(self._asked))
        return [*self._behind[0], *(one for asked, rest in zip(self._asked, self._behind[1:], strict=True) for one in (asked, *rest))]

    def _place_of(self, draft: Draft) -> int:
        latest = len(self._asked)
        if latest < 2:
            return latest
        if draft.call_id in self._place_of_call:
            return self._place_of_call[draft.call_id]
        if draft.tool_call_id in self._place_of_choice:
            return self._place_of_choice[draft.tool_call_id]
        told = next((event.prompt_ids for event in draft.events if event.has_prompt_ids), ())
        holders = map(holder_of, reversed(told))
        return next((self._place_of_key[key] for key in holders if key in self._place_of_key), latest)

    def _note(self, draft: Draft, place: int) -> None:
        for event in draft.events:
            if event.key:
                self._place_of_key[event.key] = place
        if draft.kind is LLMResponse:
            for call in draft.events[0].tool_calls:
                if call.id is not None:
                    self._place_of_choice[call.id] = place
