"""A trace → HTML without script, as a notebook shows it: the decision path, to be unfolded step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .._printable import counted, printable
from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.steps import Embedding, Failure, ModelAnswer, Step, Thinking, ToolCall, UserMessage
from .format import arguments_text, content_text, duration_text, pretty, usage_facts, value_text
from .json import kind_of

_MOST_STEPS = 300
_MOST_OF_A_LINE = 160
_MOST_OF_A_VALUE = 4000
_WIDTH = 100

_COLORS = {
    "user": "#1971c2",
    "model": "#7048e8",
    "thinking": "#868e96",
    "tool": "#0b7a5c",
    "embedding": "#5c7c0f",
    "error": "#e03131",
    "other": "#a0713a",
}
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"
_SOFT = "opacity:.65"
_BOX = (
    f"{_MONO};white-space:pre-wrap;overflow-wrap:anywhere;max-height:24em;overflow:auto;"
    "margin:.3em 0;padding:.5em .7em;border:1px solid #8886;border-radius:6px"
)


def render_notebook(trace: RecordedTrace) -> str:
    """Return a piece of HTML. It holds no script, fetches nothing, and takes the notebook's own colours for text and ground."""
    budget = [_MOST_STEPS]
    steps = "".join(_shown(_turns(trace), budget))
    left = sum(1 for _ in trace.walk()) - _MOST_STEPS
    more = _div(f"… {counted(left, 'more step')}: `whyops report {trace.trace_id}` shows all", _SOFT) if left > 0 else ""
    return f'<div style="font-size:14px;line-height:1.5;max-width:72em">{_head(trace)}{steps}{more}</div>'


def _head(trace: RecordedTrace) -> str:
    totals = trace.totals
    facts = [trace.agent_name, trace.external_user_id, counted(totals.events, "event"), counted(totals.calls, "tool call")]
    facts += [
        counted(totals.errors, "error") if totals.errors else None,
        duration_text(trace.duration_ms or None),
        *usage_facts(totals.usage),
    ]
    missing = gaps(trace)
    return (
        _div(_text(trace.trace_id), f"{_MONO};font-weight:600;font-size:1.05em", raw=True)
        + _div(" · ".join(fact for fact in facts if fact), _SOFT)
        + (_div(f"Not here: {' · '.join(missing)}", "color:#b07800") if missing else "")
    )


def _turns(trace: RecordedTrace) -> list[tuple[Step, Sequence[Step]]]:
    """Put what answers a user under the user's message."""
    turns: list[tuple[Step, list[Step]]] = []
    for step in trace.steps:
        if turns and isinstance(turns[-1][0], UserMessage) and not isinstance(step, UserMessage):
            turns[-1][1].append(step)
        else:
            turns.append((step, list(step.children)))
    return [(step, children) for step, children in turns]


def _shown(steps: Sequence[tuple[Step, Sequence[Step]]], budget: list[int]) -> Iterator[str]:
    for step, children in steps:
        if budget[0] <= 0:
            return
        budget[0] -= 1
        values = "".join(_body(step))
        if values and children:  # unfolded, the path is to be seen first
            values = f'<details style="margin-left:1.3em"><summary style="cursor:pointer;{_SOFT}">values</summary>{values}</details>'
        body = values + "".join(_shown([(child, child.children) for child in children], budget))
        line = _line(step)
        indent = "margin-left:1.3em"
        if not body:
            yield f'<div style="{indent};padding-left:1em">{line}</div>'
            continue
        is_open = " open" if children else ""
        yield f'<details{is_open} style="{indent}"><summary style="cursor:pointer">{line}</summary>{body}</details>'


def _line(step: Step) -> str:
    color = _COLORS["error" if isinstance(step, ToolCall) and step.error is not None else kind_of(step)]
    name, text = _words(step)
    notes = " · ".join(part for part in (*usage_facts(step.usage), duration_text(step.latency_ms)) if part)
    font = _MONO if isinstance(step, ToolCall) else ""
    return (
        f'<b style="color:{color}">{_text(name)}</b> <span style="{font}">{_text(_cut(text, _MOST_OF_A_LINE))}</span>'
        f' <span style="{_SOFT};font-size:.9em">{_text(notes)}</span>'
    )


def _words(step: Step) -> tuple[str, str]:
    if isinstance(step, ToolCall):
        outcome = (
            f"✗ {step.error}"
            if step.error is not None
            else f"→ {value_text(step.result)}"
            if step.is_finished
            else "→ no response recorded"
        )
        return step.name, f"({_cut(arguments_text(step.arguments), _MOST_OF_A_LINE // 2)}) {outcome}"
    if isinstance(step, UserMessage):
        return step.asked.role, content_text(step.asked.content)
    if isinstance(step, ModelAnswer):
        return step.model, content_text(step.content)
    if isinstance(step, Thinking):
        return "thinking", content_text(step.text)
    if isinstance(step, Embedding):
        return f"embedding {step.model or ''}", counted(len(step.inputs), "text")
    return ("error", step.message) if isinstance(step, Failure) else (step.first.type, value_text(step.first.content))


def _body(step: Step) -> Iterator[str]:
    """Yield the values that the line only begins to show."""
    values: list[tuple[str, object]] = []
    if isinstance(step, ToolCall):
        values = [("arguments", step.arguments), ("error", step.error), ("stack", step.stack), ("result", step.result)]
    elif isinstance(step, UserMessage) and len(step.messages) > 1:
        values = [(message.role, message.content) for message in step.messages]
    elif len(_words(step)[1]) > _MOST_OF_A_LINE:
        values = [("", _words(step)[1])]
    elif isinstance(step, Failure):
        values = [("stack", step.stack)]
    for name, value in values:
        if value is not None and value != {}:
            shown = _lines(_cut(pretty(value, _WIDTH), _MOST_OF_A_VALUE))
            yield f'<div style="margin-left:1.3em">{_text(name)}<div style="{_BOX}">{shown}</div></div>'


def _div(text: str, style: str, *, raw: bool = False) -> str:
    return f'<div style="{style}">{text if raw else _text(text)}</div>'


def _lines(text: str) -> str:
    return "\n".join(_text(line) for line in text.split("\n"))


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
