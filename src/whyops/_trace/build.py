"""Events in order of time → the decision path, a tree of steps.

What belongs together is put together by span id: a request, its response and the error in between are one `ToolCall`. What happened
inside a call (`metadata.parentSpanId`) is among its children; so are the tools that a model chose among those of its answer. What
follows a user's message stands beside it, in order; where models were asked several things at once, each question stands with its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .._wire.prompt import is_of_user
from .._wire.read import RecordedEvent
from .choices import find_elsewhere, with_choices
from .draft import Draft
from .parallel import in_pairs
from .step_context import Rank
from .steps import Embedding, ErrorStep, LLMResponse, OtherEvent, Prompt, Step, Thinking, ToolCall, UserMessage
from .tries import tries

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
_ENDS = (LLMResponse, ErrorStep)
_PROMPTS = (UserMessage, Prompt)
_BELONG_TO_CALLS = ("tool_result", "error")


def decision_path(events: Sequence[RecordedEvent], max_depth: int, cut_off: Collection[str] = ()) -> tuple[Step, ...]:
    """Build the steps; those nested deeper than `max_depth` stand at that depth.

    `cut_off` are the ids of the models' calls whose process ended before them.
    """
    drafts = _drafts(events)
    for draft in drafts if cut_off else ():
        draft.is_cut_off = draft.kind in _PROMPTS and draft.call_id in cut_off
    roots = with_choices(_nested(drafts, max_depth))
    find_elsewhere(drafts)
    return tuple(draft.finished() for draft in roots)


def _drafts(events: Sequence[RecordedEvent]) -> list[Draft]:
    """Put the events of a call together, whatever order they are in: the n-th response of a span goes with its n-th request."""
    drafts: list[Draft] = []
    waiting: dict[tuple[str, str], list[Draft]] = {}
    proxied: list[Draft] = []
    for event in events:
        span, lacks = event.span_id, event.counterpart
        if span and lacks and (asked_in_span := waiting.get((span, event.type))):
            asked_in_span.pop(0).events.append(event)
            continue
        if event.type == "embedding_response" and (asked := _asked_through_proxy(proxied, event)):
            proxied.remove(asked)
            asked.events.append(event)
            continue
        draft = Draft(_kind_of(event), [event])
        drafts.append(draft)
        if span and lacks:
            waiting.setdefault((span, lacks), []).append(draft)
        if event.type == "embedding_request" and event.is_proxied:
            proxied.append(draft)
    return _with_prompts(_with_results_and_errors(drafts), tries(events))


def _kind_of(event: RecordedEvent) -> type[Step]:
    """Return the kind of step that an event is; a prompt is the user's message only if a user says something new in it."""
    if event.type == "user_message" and not is_of_user(event):
        return Prompt
    return _KINDS.get(event.type, OtherEvent)


def _with_prompts(drafts: Sequence[Draft], tries: Mapping[str, Rank]) -> list[Draft]:
    """Give each prompt in which no user says anything new to the answer or the error of its call, where there is one."""
    for draft in drafts if tries else ():
        draft.attempt = tries.get(draft.call_id or "") if draft.kind in _ENDS else None
    prompts = {draft.call_id: draft for draft in drafts if draft.kind is Prompt or (tries and _asks_again(draft, tries))}
    answered = set()
    for draft in drafts if prompts else ():
        if draft.kind in _ENDS and draft.call_id and (asked := prompts.pop(draft.call_id, None)):
            draft.events += asked.events
            answered.add(asked)
    return [draft for draft in drafts if draft not in answered]


def _asks_again(draft: Draft, tries: Mapping[str, Rank]) -> bool:
    attempt = tries.get(draft.call_id or "")
    return draft.kind is UserMessage and attempt is not None and attempt.number > 1


def _asked_through_proxy(requests: Sequence[Draft], response: RecordedEvent) -> Draft | None:
    """Return the embedding that a response ends: the proxy gives the two different spans. Best the latest one with as many texts."""
    if not response.is_proxied:
        return None
    waiting = [draft for draft in reversed(requests) if len(draft.events) == 1]
    return next((draft for draft in waiting if len(draft.events[0].inputs) == response.embedding_count), next(iter(waiting), None))


def _with_results_and_errors(drafts: list[Draft]) -> list[Draft]:
    """Give each lone result and each error that has a call's span to that call; of several calls to one that failed, else to the first."""
    if not any(draft.events[0].type in _BELONG_TO_CALLS for draft in drafts):
        return drafts
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


def _rank(call: Draft) -> int:
    """Return 0 for a call whose response says that it failed, 1 for any other, 2 for what is known by a result alone."""
    if call.events[0].type in _BELONG_TO_CALLS:
        return 2
    return 0 if any(event.failure is not None for event in call.events) else 1


def _nested(drafts: Sequence[Draft], max_depth: int) -> list[Draft]:
    """Hang each draft under the one whose span it names as its parent, and return those that have none."""
    holders: dict[str | None, Draft] = {draft.events[0].span_id: draft for draft in reversed(drafts) if draft.events[0].span_id}
    for draft in drafts:
        for event in draft.events:
            if event.parent_span_id is not None:
                draft.parent = holders.get(event.parent_span_id)
                break
    _cut_circles(drafts)
    _measure(drafts, max_depth)
    roots: list[Draft] = []
    for draft in drafts:
        (roots if draft.parent is None else draft.parent.children).append(draft)
    for draft in drafts:
        if len(draft.children) > 1:
            draft.children = in_pairs(draft.children)
    return in_pairs(roots)


def _cut_circles(drafts: Iterable[Draft]) -> None:
    """Make a root of a draft that is, at some remove, its own parent."""
    sound: set[Draft] = set()
    for draft in drafts:
        if draft.parent is None:
            continue
        way: set[Draft] = set()
        above: Draft | None = draft
        while above is not None and above not in sound and above not in way:
            way.add(above)
            above = above.parent
        if above is not None and above in way:
            above.parent = None
        sound.update(way)


def _measure(drafts: Iterable[Draft], max_depth: int) -> None:
    """Give each draft its depth, and one that is too deep its nearest ancestor that may have children."""
    known: set[Draft] = set()
    for draft in drafts:
        if draft.parent is None:
            continue
        way: list[Draft] = []
        above: Draft | None = draft
        while above is not None and above not in known:
            way.append(above)
            above = above.parent
        for one in reversed(way):
            while one.parent is not None and one.parent.depth >= max_depth:
                one.parent = one.parent.parent
            one.depth = 0 if one.parent is None else one.parent.depth + 1
            known.add(one)
