"""A trace → compact Markdown within a budget of tokens, to paste into a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._printable import counted, printable
from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.steps import Step
from .actors import Labels, actor_labels
from .budget import USUAL_BUDGET
from .folding import Folded, folded
from .format import usage_facts
from .instructions import instructions
from .step_text import FAILED, RESULT, StepText, step_text, trace_facts

_BYTES_PER_TOKEN = 3
_LIMITS = ((100_000, False), (4000, False), (2000, False), (1000, False), (500, False), *((most, True) for most in (500, 250, 120, 60, 30)))
"""How long values may be, and whether like steps are folded, until all fits."""
_LEAST_OF_AN_ERROR = 200
_LEAST_OF_WHAT_MATTERS = 400
_LEFT_OUT = "- … {} left out here"
_MOST_NAMES = 6


def estimated_tokens(text: str) -> int:
    """Return a number of tokens that a text is unlikely to exceed."""
    return -(-_size(text) // _BYTES_PER_TOKEN)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def render_brief(trace: RecordedTrace, *, budget: int = USUAL_BUDGET, encoding: str = "utf-8") -> str:
    """Return the decision path as a Markdown list of at most `budget` tokens, by our estimate.

    Values are cut shorter until all steps fit; before they are cut to little, steps that repeat themselves are folded, and counted. Where
    they don't fit even so, steps are left out, and counted: instructions, users' messages, failures, the beginning and the end stay
    longest.
    """
    labels = actor_labels(trace)
    head = printable(_head(trace, labels), encoding).replace("\\n", "\n")
    path = _Path(trace, labels)
    for limit, folds in _LIMITS:
        lines = _fitting(path.items(limit, folds=folds), head, budget, encoding)
        if lines is not None:
            return "\n".join([head, "", *lines]) + "\n"
    shortest, folds = _LIMITS[-1]
    items = [item.printed(encoding) for item in path.items(shortest, folds=folds)]
    kept = _kept(items, budget - estimated_tokens(head) - 2)
    return "\n".join([head, "", *_joined(items, kept)]) + "\n"


def _fitting(items: Iterable[_Item], head: str, budget: int, encoding: str) -> list[str] | None:
    """Return the lines, if they and the head are within the budget; None as soon as they are not."""
    lines = []
    room = budget * _BYTES_PER_TOKEN - _size(head) - 2
    for item in items:
        line = item.printed(encoding).line
        room -= _size(line) + 1
        if room < 0:
            return None
        lines.append(line)
    return lines if room >= 0 else None


@dataclass(frozen=True)
class _Item:
    """One line of the list, of so many steps. `rank` is 0 for what tells what was asked, 1 for what went wrong, else 2."""

    line: str
    rank: int = 2
    steps: int = 1

    def printed(self, encoding: str) -> _Item:
        return _Item(printable(self.line, encoding), self.rank, self.steps)


class _Path:
    """The decision path as a list, and what is said of each step."""

    def __init__(self, trace: RecordedTrace, labels: Labels) -> None:
        self._steps = trace.steps
        self._labels = labels
        self._said = {id(step): step_text(step) for step in trace.walk()}
        self._instructions = instructions(trace)
        self._last = next((step for step in reversed(list(trace.walk()))), None)

    def items(self, limit: int, *, folds: bool) -> Iterator[_Item]:
        """Yield the lines, values cut to `limit` characters; what tells what was asked, and the end, to more."""
        waiting: list[tuple[Step | Folded, int]] = [(step, 0) for step in reversed(self._beside(self._steps, folds=folds))]
        more = max(limit, _LEAST_OF_WHAT_MATTERS)
        while waiting:
            step, depth = waiting.pop()
            indent = "  " * depth
            if isinstance(step, Folded):
                yield _Item(indent + _folded_line(step), steps=step.steps)
                continue
            waiting += [(child, depth + 1) for child in reversed(self._beside(step.children, folds=folds))]
            said, label = self._said[id(step)], self._labels.get(id(step))
            for text in self._instructions.get(id(step), ()):
                yield _Item(f"{indent}- **system**: {_cut(text, more)}", 0, 0)
            rank = 0 if said.kind == "user" else 1 if said.matters else 2
            yield _Item(indent + _line(said, limit if rank and step is not self._last else more, label), rank)

    def _beside(self, steps: Sequence[Step], *, folds: bool) -> list[Step | Folded]:
        return list(folded(steps, self._said, self._labels)) if folds else list(steps)


def _head(trace: RecordedTrace, labels: Labels) -> str:
    names = [f"{name} {value}" for name, value in (("agent", trace.agent_name), ("user", trace.external_user_id)) if value]
    missing = ", ".join(gaps(trace))
    facts = ", ".join([*names, *trace_facts(trace), *usage_facts(trace.totals.usage)])
    acting = f"\nActing: {', '.join(dict.fromkeys(labels.values()))}" if labels else ""
    around = "" if trace.parent_trace_id is None else f"\nPart of trace {trace.parent_trace_id}"
    return f"# Trace {trace.trace_id}\n\n{facts}{around}{acting}" + (f"\nIncomplete: {missing}" if missing else "")


def _line(said: StepText, limit: int, actor: str | None) -> str:
    """Return a step as an item of the list, its texts cut to `limit` characters."""
    text = _cut(said.text, limit)
    label = f"**{said.label}**" if said.kind in ("user", "error") else said.label
    labelled = f"{label}: {text}" if text else label
    words = [f"{actor}:"] if actor else []
    words.append(said.called_with(text) if said.kind == "tool" else labelled)
    if said.state == RESULT:
        words.append(f"→ {_cut(said.outcome, limit)}")
    elif said.outcome:
        words.append(
            f"**FAILED**: {_cut(said.outcome, max(limit, _LEAST_OF_AN_ERROR))}" if said.state == FAILED else f"→ **{said.outcome}**"
        )
    warnings = (_cut(warning, max(limit, _LEAST_OF_AN_ERROR)) for warning in said.warnings)
    notes = [*said.facts, *warnings, *(f"requested, but not recorded: {_cut(call, limit)}" for call in said.not_recorded)]
    words += [f"[{'; '.join(notes)}]"] if notes else []
    words += [f"({', '.join(said.measures)})"] if said.measures else []
    return f"- {' '.join(words)}"


def _folded_line(hidden: Folded) -> str:
    names = list(hidden.names)
    told = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    return f"- … {counted(hidden.rounds, 'more round')} of the same folded here ({told}: {counted(hidden.steps, 'step')})"


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…[+{len(text) - limit}]"


def _kept(items: Sequence[_Item], budget: int) -> set[int]:
    """Choose lines: the last, what was asked first, what matters, from the end; then from both ends towards the middle."""
    lines = range(len(items))
    asked = [index for index in lines if items[index].rank == 0]
    matters = [index for index in reversed(lines) if items[index].rank < 2]
    ends = [index for first, last in enumerate(reversed(lines)) for index in (last, first)]
    kept: set[int] = set()
    for index in (*ends[:1], *asked[:2], *matters, *ends):
        cost = estimated_tokens(items[index].line) + 1
        gap = estimated_tokens(_LEFT_OUT) + 2
        if index not in kept and cost + gap <= budget:
            kept.add(index)
            budget -= cost + (gap if index - 1 not in kept or index + 1 not in kept else 0)
    return kept


def _joined(items: Sequence[_Item], kept: set[int]) -> Iterator[str]:
    before = -1
    for index in (*sorted(kept), len(items)):
        left = sum(item.steps for item in items[before + 1 : index])
        if index > before + 1:
            yield _LEFT_OUT.format(counted(left, "step") if left else "instructions")
        if index < len(items):
            yield items[index].line
        before = index
