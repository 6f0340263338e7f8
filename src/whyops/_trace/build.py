"""Events in order of time → the decision path, a tree of steps.

What belongs together is put together by span id: a request, its response and the error in between are one `ToolCall`. What happened
inside a call (`metadata.parentSpanId`) is among its children; so are the tools that a model chose among those of its answer. What
follows a user's message stands beside it, in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .._wire.prompt import asked_for, is_of_user, listed
from .._wire.read import RecordedEvent, RequestedTool, as_text
from .steps import Embedding, ErrorStep, LLMResponse, OtherEvent, Prompt, Step, Thinking, ToolCall, UserMessage

_KINDS: dict[str, type[Step]] = {
    "user_message": UserMessage,
    "llm_thinking": Thinking,
    "llm_response": LLMResponse,
    "embedding_request": Embedding,
    "embedding_response": Embedding,
    "tool_call_request": ToolCall,
    "tool_call_response": ToolCall,
    "tool_result": ToolCall,
    "error": ErrorStep,
}
_BELONG_TO_CALLS = ("tool_result", "error")


@dataclass(eq=False)
class _Draft:
    """A step while its events and children are being found."""

    kind: type[Step]
    events: list[RecordedEvent]
    parent: _Draft | None = None
    depth: int = 0
    children: list[_Draft] = field(default_factory=list)
    choices: list[RequestedTool] = field(default_factory=list)
    chooser: _Draft | None = None

    def finished(self) -> Step:
        """Make the step and those inside it."""
        events, children = tuple(self.events), tuple(child.finished() for child in _with_choices(self.children))
        if self.kind is LLMResponse:
            return LLMResponse(events, children, tuple(self.choices))
        return ToolCall(events, children, tuple(self.choices)) if self.kind is ToolCall else self.kind(events, children)


def decision_path(events: Sequence[RecordedEvent], max_depth: int) -> tuple[Step, ...]:
    """Build the steps; those nested deeper than `max_depth` stand at that depth."""
    roots = _nested(_with_choosers(_drafts(events)), max_depth)
    return tuple(draft.finished() for draft in _with_choices(roots))


def _drafts(events: Iterable[RecordedEvent]) -> list[_Draft]:
    """Put the events of a call together, whatever order they are in: the n-th response of a span goes with its n-th request."""
    drafts: list[_Draft] = []
    waiting: dict[tuple[str, str], list[_Draft]] = defaultdict(list)
    proxied: list[_Draft] = []
    for event in events:
        span, lacks = event.span_id, event.counterpart
        if span and lacks and waiting[span, event.type]:
            waiting[span, event.type].pop(0).events.append(event)
            continue
        if event.type == "embedding_response" and (asked := _asked_through_proxy(proxied, event)):
            proxied.remove(asked)
            asked.events.append(event)
            continue
        draft = _Draft(_kind_of(event), [event])
        drafts.append(draft)
        if span and lacks:
            waiting[span, lacks].append(draft)
        if event.type == "embedding_request" and event.is_proxied:
            proxied.append(draft)
    return _with_prompts(_with_results_and_errors(drafts))


def _kind_of(event: RecordedEvent) -> type[Step]:
    """Return the kind of step that an event is; a prompt is the user's message only if a user says something new in it."""
    if event.type == "user_message" and not is_of_user(event):
        return Prompt
    return _KINDS.get(event.type, OtherEvent)


def _with_prompts(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Give each prompt in which no user speaks to the answer of its call, where there is one."""
    prompts = {draft.events[0].call_id: draft for draft in drafts if draft.kind is Prompt}
    answered = set()
    for draft in drafts:
        if draft.kind is LLMResponse and (asked := prompts.pop(draft.events[0].call_id, None)):
            draft.events += asked.events
            answered.add(asked)
    return [draft for draft in drafts if draft not in answered]


def _asked_through_proxy(requests: Sequence[_Draft], response: RecordedEvent) -> _Draft | None:
    """Return the embedding that a response ends: the proxy gives the two different spans. Best the latest one with as many texts."""
    if not response.is_proxied:
        return None
    waiting = [draft for draft in reversed(requests) if len(draft.events) == 1]
    return next((draft for draft in waiting if len(draft.events[0].inputs) == response.embedding_count), next(iter(waiting), None))


def _with_results_and_errors(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Give each lone result and each error that has a call's span to that call; of several calls to one that failed, else to the first."""
    ranked = sorted((draft for draft in drafts if draft.kind is ToolCall), key=_rank)
    calls = {draft.events[0].span_id: draft for draft in reversed(ranked)}  # the first of those with a span stays
    kept = []
    for draft in drafts:
        first = draft.events[0]
        call = calls.get(first.span_id) if first.type in _BELONG_TO_CALLS and first.span_id else None
        if call is None or call is draft:
            kept.append(draft)
        else:
            call.events.extend(draft.events)
    return kept


def _rank(call: _Draft) -> int:
    """Return 0 for a call whose response says that it failed, 1 for any other, 2 for what is known by a result alone."""
    if call.events[0].type in _BELONG_TO_CALLS:
        return 2
    return 0 if any(event.failure is not None for event in call.events) else 1


def _with_choosers(drafts: list[_Draft]) -> list[_Draft]:
    """Give each result that is known by what a model was told the call that the model chose, by its id; and the model its answer.

    Of a result that stands in a prompt, nothing but the model knows.
    """
    choosers: dict[str, tuple[_Draft, RequestedTool]] = {}
    for draft in drafts:
        first = draft.events[0]
        if draft.kind is LLMResponse:
            choosers |= {call.id: (draft, RequestedTool(call.name, call.arguments)) for call in asked_for(first) if call.id is not None}
        elif draft.kind is ToolCall:
            chosen = choosers.get(as_text(first.metadata.get("tool_call_id")) or "")
            if chosen is not None and first.type == "tool_result":
                draft.choices, draft.chooser = [chosen[1]], chosen[0]
        for event in draft.events if choosers else ():
            for message in listed(event) if event.type == "user_message" else ():
                if message.role == "tool" and (found := choosers.pop(message.tool_call_id or "", None)):
                    found[0].choices.append(found[1])
    return drafts


def _nested(drafts: Sequence[_Draft], max_depth: int) -> list[_Draft]:
    """Hang each draft under the one whose span it names as its parent, and return those that have none."""
    holders: dict[str | None, _Draft] = {draft.events[0].span_id: draft for draft in reversed(drafts) if draft.events[0].span_id}
    for draft in drafts:
        draft.parent = holders.get(next((event.parent_span_id for event in draft.events if event.parent_span_id), None))
    _cut_circles(drafts)
    _measure(drafts, max_depth)
    roots: list[_Draft] = []
    for draft in drafts:
        (roots if draft.parent is None else draft.parent.children).append(draft)
    return roots


def _cut_circles(drafts: Iterable[_Draft]) -> None:
    """Make a root of a draft that is, at some remove, its own parent."""
    sound: set[_Draft] = set()
    for draft in drafts:
        way: set[_Draft] = set()
        above: _Draft | None = draft
        while above is not None and above not in sound and above not in way:
            way.add(above)
            above = above.parent
        if above is not None and above in way:
            above.parent = None
        sound.update(way)


def _measure(drafts: Iterable[_Draft], max_depth: int) -> None:
    """Give each draft its depth, and one that is too deep its nearest ancestor that may have children."""
    known: set[_Draft] = set()
    for draft in drafts:
        way: list[_Draft] = []
        above: _Draft | None = draft
        while above is not None and above not in known:
            way.append(above)
            above = above.parent
        for one in reversed(way):
            while one.parent is not None and one.parent.depth >= max_depth:
                one.parent = one.parent.parent
            one.depth = 0 if one.parent is None else one.parent.depth + 1
            known.add(one)


def _with_choices(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Move the tool calls that a model chose under its answer: those of these names that follow it before anyone else speaks.

    Where results are only told to the model, of calls that are all there, the prompt that tells them belongs to the last of these calls.
    """
    kept: list[_Draft] = []
    model: _Draft | None = None
    names: list[str] = []
    for draft in drafts:
        if model is not None and draft.kind is ToolCall:
            called = ToolCall(tuple(draft.events)).names
            if not set(called).isdisjoint(names):
                names = _without(names, called)
                model.children.append(draft)
                continue
            if draft.chooser is not None and draft.chooser in kept:
                draft.chooser.children.append(draft)
                continue
            if draft.events[0].told and (told_of := _recorded(model, called)):
                told_of.events.extend(draft.events)
                continue
        if draft.kind is LLMResponse:
            model, names = draft, [tool.name for tool in LLMResponse(tuple(draft.events)).requested]
        elif draft.kind is UserMessage:
            model, names = None, []
        kept.append(draft)
    return kept


def _without(names: Sequence[str], called: Sequence[str]) -> list[str]:
    """Return the names without one for each that was called."""
    left = list(names)
    for name in called:
        if name in left:
            left.remove(name)
    return left


def _recorded(model: _Draft, called: Sequence[str]) -> _Draft | None:
    """Return the last of a model's tool calls with these names, if it has all of them."""
    calls = {name: draft for draft in model.children if draft.kind is ToolCall for name in ToolCall(tuple(draft.events)).names}
    return calls[called[-1]] if calls.keys() >= set(called) else None
