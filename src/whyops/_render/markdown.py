"""A trace → compact Markdown within a budget of tokens, to paste into a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._printable import counted, printable
from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .format import usage_facts
from .step_text import FAILED, RESULT, StepText, outline, step_text, trace_facts

USUAL_BUDGET = 4000
_BYTES_PER_TOKEN = 3
_LIMITS = (100_000, 4000, 2000, 1000, 500, 250, 120, 60, 30)
_LEAST_OF_AN_ERROR = 200
_LEFT_OUT = "- … {} left out here"


def estimated_tokens(text: str) -> int:
    """Return a number of tokens that a text is unlikely to exceed."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def render_brief(trace: RecordedTrace, *, budget: int = USUAL_BUDGET, encoding: str = "utf-8") -> str:
    """Return the decision path as a Markdown list of at most `budget` tokens, by our estimate.

    Values are cut shorter until all steps fit. Where they don't even so, steps are left out, and counted: users' messages, failures, the
    beginning and the end stay longest.
    """
    head = printable(_head(trace), encoding).replace("\\n", "\n")
    steps = [(depth, step_text(step)) for step, _, depth in outline(trace.steps)]
    lines: list[str] = []
    for limit in _LIMITS:
        lines = [printable("  " * depth + _line(said, limit), encoding) for depth, said in steps]
        text = "\n".join([head, "", *lines]) + "\n"
        if estimated_tokens(text) <= budget:
            return text
    matters = [index for index, (_, said) in enumerate(steps) if said.matters]
    kept = _kept(lines, matters, budget - estimated_tokens(head) - 2)
    return "\n".join([head, "", *_joined(lines, kept)]) + "\n"


def _head(trace: RecordedTrace) -> str:
    names = [f"{name} {value}" for name, value in (("agent", trace.agent_name), ("user", trace.external_user_id)) if value]
    missing = ", ".join(gaps(trace))
    facts = ", ".join([*names, *trace_facts(trace), *usage_facts(trace.totals.usage)])
    return f"# Trace {trace.trace_id}\n\n{facts}" + (f"\nIncomplete: {missing}" if missing else "")


def _line(said: StepText, limit: int) -> str:
    """Return a step as an item of the list, its texts cut to `limit` characters."""
    text = _cut(said.text, limit)
    label = f"**{said.label}**" if said.kind in ("user", "error") else said.label
    labelled = f"{label}: {text}" if text else label
    words = [f"{said.name}({text})" if said.kind == "tool" else labelled]
    if said.state == RESULT:
        words.append(f"→ {_cut(said.outcome, limit)}")
    elif said.outcome:
        words.append(
            f"**FAILED**: {_cut(said.outcome, max(limit, _LEAST_OF_AN_ERROR))}" if said.state == FAILED else f"→ **{said.outcome}**"
        )
    notes = [*said.facts, *said.warnings, *(f"requested, but not recorded: {_cut(call, limit)}" for call in said.not_recorded)]
    words += [f"[{', '.join(notes)}]"] if notes else []
    words += [f"({', '.join(said.measures)})"] if said.measures else []
    return f"- {' '.join(words)}"


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…[+{len(text) - limit}]"


def _kept(lines: Sequence[str], matters: Sequence[int], budget: int) -> set[int]:
    """Choose lines: the last, those that matter, from the end; then from both ends towards the middle."""
    ends = [index for first, last in enumerate(reversed(range(len(lines)))) for index in (last, first)]
    kept: set[int] = set()
    for index in (*ends[:1], *reversed(matters), *ends):
        cost = estimated_tokens(lines[index]) + 1
        gap = estimated_tokens(_LEFT_OUT) + 2
        if index not in kept and cost + gap <= budget:
            kept.add(index)
            budget -= cost + (gap if index - 1 not in kept or index + 1 not in kept else 0)
    return kept


def _joined(lines: Sequence[str], kept: set[int]) -> Iterator[str]:
    before = -1
    for index in (*sorted(kept), len(lines)):
        if index > before + 1:
            yield _LEFT_OUT.format(counted(index - before - 1, "step"))
        if index < len(lines):
            yield lines[index]
        before = index
