"""The tools that models chose → the calls of each, and what the model was told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from .._wire.prompt import listed
from .draft import Draft, DraftChoice
from .step_context import Rank, Told
from .steps import LLMResponse, ToolCall, UserMessage


def with_choices(drafts: Sequence[Draft]) -> list[Draft]:
    """Move the tool calls that a model chose under its answer, here and inside each step.

    A call is known by the id that the model gave it; without one, the calls of these names are meant that follow before anyone else
    speaks. Where results are only told to the model, of calls that are all there, the prompt that tells them belongs to the last of
    these calls.
    """
    for draft in drafts:
        if draft.children:
            draft.children = with_choices(draft.children)
    level = _Level()
    kept = [draft for draft in drafts if not level.takes(draft)]
    for choice in level.choices:
        _number(choice.runs)
    return kept


def find_elsewhere(drafts: Sequence[Draft]) -> None:
    """Take note of the chosen calls that stand inside another step, as in a graph's node.

    Where an id is that of one choice alone, its calls are this choice's, with what a later prompt tells of it; where models give the
    same id several times, each call counts for one choice.
    """
    chosen = [choice for draft in drafts for choice in draft.choices]
    times_chosen = Counter(choice.call.id for choice in chosen)
    known = {id(run) for choice in chosen for run in choice.runs}
    left: dict[str | None, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.kind is ToolCall and draft.tool_call_id is not None and id(draft) not in known:
            left[draft.tool_call_id].append(draft)
    found: dict[str, DraftChoice] = {}
    for choice in chosen:
        call_id = choice.call.id
        if choice.runs or call_id is None or not left[call_id]:
            continue
        if times_chosen[call_id] == 1:
            found[call_id] = choice
        else:
            choice.ran_elsewhere = True
            left[call_id].pop()
    for call_id, choice in found.items():
        for run in left[call_id]:
            choice.take(run)
        _number(choice.runs)
    for draft in drafts if found else ():
        _hear(draft, found)


def _hear(draft: Draft, choices: Mapping[str, DraftChoice]) -> None:
    """Take note of what a model is told as results of its calls, by their ids, in messages that are new in a prompt."""
    for event in draft.events:
        for message in listed(event) if event.type == "user_message" else ():
            if message.role == "tool" and (choice := choices.get(message.tool_call_id or "")) is not None:
                choice.tell(Told(message.content, event))


class _Level:
    """What models have chosen so far among the steps beside each other."""

    def __init__(self) -> None:
        self.choices: list[DraftChoice] = []
        self._by_id: dict[str, DraftChoice] = {}
        self._model: Draft | None = None
        self._turn = 0

    def takes(self, draft: Draft) -> bool:
        """Take note of a step; return whether it went under a model's answer."""
        if self._by_id:
            _hear(draft, self._by_id)
        if draft.kind is ToolCall:
            return (self._model is not None or bool(self._by_id)) and self._takes_call(draft)
        if draft.kind is LLMResponse:
            self._begin(draft)
        elif draft.kind is UserMessage:
            self._model = None
            self._turn += 1
        return False

    def _begin(self, model: Draft) -> None:
        self._model = model
        for call in model.events[0].tool_calls:
            choice = DraftChoice(call, self._turn, model)
            model.choices.append(choice)
            if call.id:
                self._by_id[call.id] = choice
        self.choices += model.choices
        for child in model.children:  # of a model's call that has a span of its own
            if child.kind is ToolCall:
                self._chosen(child)

    def _takes_call(self, draft: Draft) -> bool:
        if self._tells_of_a_run(draft):
            return True
        choice = self._chosen(draft)
        if choice is not None:
            if choice.turn != self._turn:  # somebody has spoken since
                return False
            choice.model.children.append(draft)
            return True
        if self._model is not None and draft.events[0].told and (told_of := _recorded(self._model, _names(draft))):
            told_of.events.extend(draft.events)
            return True
        return False

    def _tells_of_a_run(self, draft: Draft) -> bool:
        """Return whether a step is but what the model was told of a call that was recorded without the model's id; then it goes there."""
        choice = self._by_id.get(draft.tool_call_id or "") if draft.is_result_alone else None
        if choice is None or not choice.runs or choice.runs[-1].tool_call_id is not None:
            return False
        choice.tell(Told(draft.events[0].result, draft.events[0]))
        choice.runs[-1].events.extend(draft.events)
        return True

    def _chosen(self, draft: Draft) -> DraftChoice | None:
        """Return the choice that led to a call, and take note of the call."""
        choice = self._by_id.get(draft.tool_call_id or "")
        if choice is not None:
            choice.take(draft)
            return choice
        found = None
        for name in _names(draft) if self._model is not None else ():
            choice = next((one for one in self._model.choices if one.call.name == name and not one.runs), None) if self._model else None
            if choice is not None:
                choice.runs.append(draft)
                found = found or choice
        return found


def _names(draft: Draft) -> Sequence[str]:
    return ToolCall(tuple(draft.events)).names


def _recorded(model: Draft, called: Sequence[str]) -> Draft | None:
    """Return the last of a model's tool calls with these names, if it has all of them."""
    calls = {name: draft for draft in model.children if draft.kind is ToolCall for name in _names(draft)}
    return calls[called[-1]] if calls.keys() >= set(called) else None


def _number(runs: Sequence[Draft]) -> None:
    """Say of the calls of one choice which are tries, and which go on with one that was interrupted."""
    chains: list[list[Draft]] = []
    before: ToolCall | None = None
    for draft in runs:
        if before is not None and before.error is not None:
            chains[-1].append(draft)
        else:
            draft.is_resumed = before is not None and before.interrupted is not None
            chains.append([draft])
        before = ToolCall(tuple(draft.events))
    for chain in chains:
        for number, draft in enumerate(chain, 1):
            draft.attempt = Rank(number, len(chain)) if len(chain) > 1 else None
