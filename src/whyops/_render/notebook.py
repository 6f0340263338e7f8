"""A trace → HTML without script, as a notebook shows it: the decision path, to be unfolded step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from .._printable import counted, printable
from .._trace.incomplete import gaps
from .._trace.recorded import RecordedTrace
from .._trace.steps import Step
from .actors import Labels, actor_labels
from .format import content_text, pretty, usage_facts
from .step_text import FAILED, StepText, step_text, trace_facts, turns

_MOST_STEPS = 300
_MOST_OF_A_LINE = 160
_MOST_OF_A_VALUE = 4000
_WIDTH = 100

_LIGHT = {
    "user": "#1864ab",
    "model": "#6741d9",
    "thinking": "#646c74",
    "tool": "#0b7a5c",
    "embedding": "#4d6a08",
    "error": "#c92a2a",
    "other": "#7a5c3a",
    "warn": "#8a5a00",
}
_DARK = {
    "user": "#74c0fc",
    "model": "#b197fc",
    "thinking": "#9aa2ab",
    "tool": "#63d6b0",
    "embedding": "#c0d66b",
    "error": "#ff8787",
    "other": "#d9b38c",
    "warn": "#ffd98a",
}
_DARK_NOTEBOOKS = ('[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast", 'html[theme="dark"]', '[data-theme="dark"]')
"""How Jupyter, VS Code, Colab and books made of notebooks say that their ground is dark."""

_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"
_SOFT = "opacity:.65"
_INDENT = "margin-left:1.3em"
_BOX = (
    f"{_MONO};white-space:pre-wrap;overflow-wrap:anywhere;max-height:24em;overflow:auto;"
    "margin:.3em 0;padding:.5em .7em;border:1px solid #8886;border-radius:6px"
)


def _palette(colors: Mapping[str, str]) -> str:
    return "{" + ";".join(f"--whyops-{name}:{color}" for name, color in colors.items()) + "}"


STYLE = f"<style>.whyops{_palette(_LIGHT)} {','.join(f'{place} .whyops' for place in _DARK_NOTEBOOKS)}{_palette(_DARK)}</style>"
"""The colours, for light and dark notebooks."""


def color_of(name: str) -> str:
    """Return a colour of the palette; where a notebook takes styles out, the one for a light ground."""
    return f"var(--whyops-{name},{_LIGHT[name]})"


def render_notebook(trace: RecordedTrace) -> str:
    """Return a piece of HTML. It holds no script, fetches nothing, and takes text and ground from the notebook, light or dark."""
    budget, labels = [_MOST_STEPS], actor_labels(trace)
    steps = "".join(_shown(step, budget, labels) for step in turns(trace))
    left = sum(1 for _ in trace.walk()) - _MOST_STEPS
    more = _div(f"… {counted(left, 'more step')}: `whyops report {trace.trace_id}` shows all", _SOFT) if left > 0 else ""
    return f'{STYLE}<div class="whyops" style="font-size:14px;line-height:1.5;max-width:72em">{_head(trace)}{steps}{more}</div>'


def _head(trace: RecordedTrace) -> str:
    facts = [trace.agent_name, trace.external_user_id, *trace_facts(trace), *usage_facts(trace.totals.usage)]
    missing = gaps(trace)
    return (
        _div(trace.trace_id, f"{_MONO};font-weight:600;font-size:1.05em")
        + _div(" · ".join(filter(None, facts)), _SOFT)
        + (_div(f"incomplete: {' · '.join(missing)}", f"color:{color_of('warn')}") if missing else "")
    )


def _shown(step: Step, budget: list[int], labels: Labels) -> str:
    if budget[0] <= 0:
        return ""
    budget[0] -= 1
    said, actor = step_text(step), labels.get(id(step))
    values = "".join(_values(said))
    if values and step.children:  # unfolded, the path is to be seen first
        values = f'<details style="{_INDENT}"><summary style="cursor:pointer;{_SOFT}">values</summary>{values}</details>'
    body = values + "".join(_shown(child, budget, labels) for child in step.children)
    if not body:
        return f'<div style="{_INDENT};padding-left:1em">{_line(said, actor)}</div>'
    tag = "details open" if step.children else "details"
    return f'<{tag} style="{_INDENT}"><summary style="cursor:pointer">{_line(said, actor)}</summary>{body}</details>'


def _line(said: StepText, actor: str | None) -> str:
    text, font = said.text, ""
    if said.kind == "tool":
        text, font = f"({_cut(text, _MOST_OF_A_LINE // 2)})", _MONO
    if said.outcome:
        text += f" {'✗' if said.state == FAILED else '→'} {said.outcome}"
    notes = " · ".join((*said.facts, *said.warnings, *said.measures))
    color = color_of("error" if said.state == FAILED else said.kind)
    return (
        f'{_text(f"{actor}: " if actor else "")}<b style="color:{color}">{_text(said.label)}</b>'
        f' <span style="{font}">{_text(_cut(text, _MOST_OF_A_LINE))}</span>'
        f' <span style="{_SOFT};font-size:.9em">{_text(notes)}</span>'
    )


def _values(said: StepText) -> Iterator[str]:
    """Yield the values that the line only begins to show."""
    several = [(message.role, message.content) for message in said.messages] if len(said.messages) > 1 else []
    for title, value in several or [(value.title, value.value) for value in said.values]:
        is_in_line = said.kind != "tool" and len(said.text) <= _MOST_OF_A_LINE and content_text(value) == said.text
        if value is not None and value != {} and not is_in_line:
            lines = "\n".join(map(_text, _cut(pretty(value, _WIDTH), _MOST_OF_A_VALUE).split("\n")))
            yield f'<div style="{_INDENT}">{_text(title)}<div style="{_BOX}">{lines}</div></div>'


def _div(text: str, style: str) -> str:
    return f'<div style="{style}">{_text(text)}</div>'


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
