"""Two runs, step by step beside each other: what both decided, what one alone decided, and where they part. Ids and times don't count."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .recorded import RecordedTrace
from .steps import Embedding, ErrorStep, LLMResponse, Step, ToolCall, UserMessage

_CHANGES_WITH_EACH_RUN = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # a UUID
    r"|\b(?:call|toolu|msg|chatcmpl|resp|run)[_-]\w{8,}"  # an id of a provider's
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",  # a time
    re.IGNORECASE | re.ASCII,
)
_STANDS_FOR_IT = "…"
_MOST_COMPARED = 20_000
"""Of longer runs the middle is compared by the names of the steps alone."""


@dataclass(frozen=True)
class Decision:
    """What a step decided, `what`, and what came of it, both as one text; `name` is that of the tool, else empty."""

    step: Step
    depth: int
    name: str
    what: str
    outcome: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What two steps have in common that decided the same."""
        return (self.step.kind, self.name, self.what)

    @property
    def loose_key(self) -> tuple[str, str]:
        """What two steps have in common that can be compared."""
        return (self.step.kind, self.name)


@dataclass(frozen=True)
class Pair:
    """A decision of each run that belong together; None where a run has none."""

    first: Decision | None
    second: Decision | None

    @property
    def is_same_decision(self) -> bool:
        """Whether both decided the same."""
        return self.first is not None and self.second is not None and self.first.key == self.second.key

    @property
    def is_alike(self) -> bool:
        """Whether both decided the same, and the same came of it."""
        return self.is_same_decision and self.first is not None and self.second is not None and self.first.outcome == self.second.outcome


def aligned(first: RecordedTrace, second: RecordedTrace, ignore: Collection[str] = ()) -> tuple[Pair, ...]:
    """Return the steps of two runs in pairs, in order. What has one of the names in `ignore` is not compared."""
    return tuple(_paired(list(_decisions(first.steps, 0, ignore)), list(_decisions(second.steps, 0, ignore))))


def without_ids(text: str) -> str:
    """Return a text without the ids and times in it that change with each run."""
    return _CHANGES_WITH_EACH_RUN.sub(_STANDS_FOR_IT, text)


def without_names(value: object, ignore: Collection[str]) -> object:
    """Return a value in which nothing is told of what has one of these names."""
    if isinstance(value, Mapping):
        return {name: _STANDS_FOR_IT if name in ignore else without_names(item, ignore) for name, item in value.items()}
    return [without_names(item, ignore) for item in value] if isinstance(value, (list, tuple)) else value


def comparable(value: object, ignore: Collection[str] = ()) -> str:
    """Return a value as one text that is the same in each run that does the same: without ids and times that change with each."""
    value = without_names(value, ignore) if ignore else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return without_ids(text)


def _decisions(steps: Sequence[Step], depth: int, ignore: Collection[str], *, asked_together: bool = False) -> Iterator[Decision]:
    for together in [list(steps)] if asked_together else _at_the_same_time(steps):
        found = [(_decision(step, depth, ignore), step) for step in together]
        if len(found) > 1:
            found.sort(key=lambda one: one[0].key if one[0] is not None else ("", "", ""))
        for decision, step in found:
            if decision is not None:
                yield decision
            of_one_answer = isinstance(step, LLMResponse) and all(isinstance(child, ToolCall) for child in step.children)
            yield from _decisions(step.children, depth + (decision is not None), ignore, asked_together=of_one_answer)


def _at_the_same_time(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Yield the steps in groups: calls of tools that overlap in time are one."""
    group: list[Step] = []
    ends = 0.0
    for step in steps:
        began = step.started_at if isinstance(step, ToolCall) else None
        if group and (began is None or began >= ends):
            yield group
            group, ends = [], 0.0
        group.append(step)
        if began is not None:
            ends = max(ends, began + (step.latency_ms or 0) * 1000)
    if group:
        yield group


def _decision(step: Step, depth: int, ignore: Collection[str]) -> Decision | None:
    """Return what a step decided; None for one that only tells how it came to that."""
    if isinstance(step, ToolCall):
        outcome = step.error if step.error is not None else step.result if step.is_finished else "no response"
        return Decision(step, depth, step.name, comparable(step.arguments, ignore), comparable(outcome, ignore))
    if isinstance(step, LLMResponse):
        chosen = [(tool.name, tool.arguments) for tool in step.requested]
        return Decision(step, depth, "", comparable(chosen or step.content or "", ignore), comparable(step.interrupted or "", ignore))
    if isinstance(step, UserMessage):
        return Decision(step, depth, "", comparable(step.asked.content, ignore), "")
    if isinstance(step, Embedding):
        return Decision(step, depth, step.model or "", comparable(step.inputs, ignore), "")
    if isinstance(step, ErrorStep):
        return Decision(step, depth, "", comparable(step.message, ignore), "")
    return None


def _paired(first: list[Decision], second: list[Decision]) -> Iterator[Pair]:
    """Pair equal decisions, and of those between them the ones that can be compared."""
    start, end = _common(first, second)
    yield from map(Pair, first[:start], second[:start])
    one, other = first[start : len(first) - end], second[start : len(second) - end]
    is_short = len(one) + len(other) <= _MOST_COMPARED
    keys, other_keys = ([decision.key if is_short else decision.loose_key for decision in run] for run in (one, other))
    for tag, a, b, c, d in SequenceMatcher(None, keys, other_keys, autojunk=not is_short).get_opcodes():
        yield from map(Pair, one[a:b], other[c:d]) if tag == "equal" else _comparable(one[a:b], other[c:d])
    yield from map(Pair, first[len(first) - end :], second[len(second) - end :])


def _common(first: list[Decision], second: list[Decision]) -> tuple[int, int]:
    """Return how many decisions at the beginning, and how many at the end, are the same in both runs."""
    most = min(len(first), len(second))
    start = next((place for place in range(most) if first[place].key != second[place].key), most)
    most -= start
    return start, next((place for place in range(most) if first[-1 - place].key != second[-1 - place].key), most)


def _comparable(first: list[Decision], second: list[Decision]) -> Iterator[Pair]:
    loose, other_loose = ([decision.loose_key for decision in run] for run in (first, second))
    for tag, a, b, c, d in SequenceMatcher(None, loose, other_loose, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from map(Pair, first[a:b], second[c:d])
        else:
            yield from (Pair(decision, None) for decision in first[a:b])
            yield from (Pair(None, decision) for decision in second[c:d])
