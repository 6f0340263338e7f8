"""A step of any trace → one line, for those who watch."""

from __future__ import annotations

from datetime import tzinfo

from ..._printable import printable
from ..._trace.steps import Step
from ..format import local_time
from ..step_text import FAILED, OPEN, headline, step_text
from .paint import Line, Piece, glyphs_for, painted
from .width import cut, width_of

_ID_WIDTH = 16
_STYLES = {"user": "user", "tool": "tool", "model": "model", "error": "bad text"}


def live_line(step: Step, *, width: int | None, color: bool, encoding: str, zone: tzinfo | None) -> str:
    """Return the time, the trace's id and what happened, in one line of at most `width` columns; without a width nothing is cut."""
    glyphs = glyphs_for(encoding)
    said = step_text(step, lambda _: True)  # a call that has no end yet is seen while it goes on
    moment = local_time(step.started_at, zone)
    trace_id = printable(step.first.trace_id or "", encoding)
    if width is not None:
        trace_id = cut(trace_id, _ID_WIDTH, glyphs.ellipsis)
    what = headline(said)
    if said.kind == "tool" and said.outcome:
        what += f" {glyphs.arrow} {said.outcome}"
    head = f"{glyphs.cross} " if said.state == FAILED else ""
    style = "bad text" if said.state == FAILED else "warn" if said.state == OPEN else _STYLES.get(said.kind, "dim")
    pieces = [
        Piece("--:--:--" if moment is None else f"{moment:%H:%M:%S}", "dim"),
        Piece(f"  {trace_id}{' ' * (_ID_WIDTH - width_of(trace_id))}  ", "bold"),
        Piece(head, "bad"),
        Piece(printable(" ".join(what.split("\n")), encoding), style),
    ]
    note = [Piece(f" {glyphs.dot} ".join(said.measures), "dim")] if said.measures else []
    if width is None:
        width = 1_000_000
        pieces += [Piece(f"  {one.text}", one.style) for one in note]
        note = []
    return painted([Line(pieces, note)], width=width, color=color, ellipsis=glyphs.ellipsis)
