"""The findings of `whyops doctor` → text: what was checked, its state, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .paint import Line, Piece, glyphs_for, painted, paragraph

Level = Literal["good", "note", "warn", "bad"]

_LEAST_WIDTH = 40
_SIGNS = {"good": "✓", "note": "·", "warn": "!", "bad": "✗"}
_PLAIN_SIGNS = {"good": "ok", "note": "--", "warn": "!!", "bad": "XX"}
_STYLES = {"good": "good", "note": "dim", "warn": "warn", "bad": "bad"}


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and with which result. `remedy` says how to fix it, where something is to be fixed."""

    level: Level
    what: str
    result: str
    remedy: str = ""


def render_findings(findings: Sequence[Finding], *, width: int, color: bool, encoding: str = "utf-8") -> str:
    """Return one paragraph for each finding, at most `width` columns wide."""
    width = max(width, _LEAST_WIDTH)
    signs = _SIGNS if glyphs_for(encoding).bars != "#" else _PLAIN_SIGNS
    column = max((len(finding.what) for finding in findings), default=0) + 2
    lines = [line for finding in findings for line in _lines(finding, signs[finding.level], column, width, encoding)]
    return painted(lines, width=width, color=color, ellipsis="...")


def _lines(finding: Finding, sign: str, column: int, width: int, encoding: str) -> Iterator[Line]:
    margin = " " * (len(sign) + 1 + column)
    head = (Piece(f"{sign} ", _STYLES[finding.level]), Piece(finding.what.ljust(column), "bold"))
    for line in paragraph(finding.result, "bad text" if finding.level == "bad" else "", width, margin, encoding):
        yield Line([*head, line.pieces[-1]])
        head = (Piece(margin), Piece(""))
    if finding.remedy:
        yield from paragraph(finding.remedy, "dim", width, f"{margin}  ", encoding)
