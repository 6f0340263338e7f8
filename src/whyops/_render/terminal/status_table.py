"""What became of each destination's events → text: how many arrived, how many wait, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..._printable import printable
from .paint import Line, Piece, glyphs_for, painted
from .width import wrapped

_LEAST_WIDTH = 24
_INDENT = "  "


@dataclass(frozen=True)
class Standing:
    """One destination's events, in numbers; the reasons say how many for each. `advice` is what can be done about it."""

    name: str
    recorded: int = 0
    delivered: int = 0
    waiting: int = 0
    parked: int = 0
    sampled_out: int = 0
    dropped: int = 0
    not_recorded: int = 0
    parked_reasons: Mapping[str, int] = field(default_factory=dict)
    sampled_out_reasons: Mapping[str, int] = field(default_factory=dict)
    not_recorded_reasons: Mapping[str, int] = field(default_factory=dict)
    advice: Sequence[str] = ()


def render_standings(standings: Sequence[Standing], *, width: int, color: bool, encoding: str = "utf-8") -> str:
    """Return the destinations as text of at most `width` columns."""
    glyphs = glyphs_for(encoding)
    lines: list[Line] = []
    for standing in standings:
        lines += [Line()] if lines else []
        lines += _lines(standing, max(width, _LEAST_WIDTH), encoding)
    return painted(lines, width=max(width, _LEAST_WIDTH), color=color, ellipsis=glyphs.ellipsis)


def _lines(standing: Standing, width: int, encoding: str) -> Iterator[Line]:
    yield Line([Piece(printable(standing.name, encoding), "bold")])
    facts = (
        (standing.recorded, "recorded", ""),
        (standing.delivered, "delivered", "good"),
        (standing.waiting, "waiting", "warn"),
        (standing.parked, "parked", "bad"),
        (standing.sampled_out, "sampled out", "warn"),
        (standing.dropped, "dropped", "bad"),
        (standing.not_recorded, "not recorded", "bad"),
    )
    digits = max(len(f"{number:,}") for number, _, _ in facts)
    for number, what, style in facts:
        yield Line([Piece(f"{_INDENT}{number:>{digits},} {what}", style if number else "dim")])
        for reason, count in _reasons(standing, what):
            yield from _below(f"{count:,}: {reason}", "dim", width, digits, encoding)
    for text in standing.advice:
        yield from _below(text, "", width, 0, encoding)


def _reasons(standing: Standing, what: str) -> list[tuple[str, int]]:
    reasons = {
        "parked": standing.parked_reasons,
        "sampled out": standing.sampled_out_reasons,
        "not recorded": standing.not_recorded_reasons,
    }.get(what, {})
    return sorted(((reason or "no reason given", count) for reason, count in reasons.items()), key=lambda one: -one[1])


def _below(text: str, style: str, width: int, indent: int, encoding: str) -> Iterator[Line]:
    margin = _INDENT + " " * (indent + 1 if indent else 0)
    for line in wrapped(printable(text, encoding), width - len(margin)):
        yield Line([Piece(margin + line, style)])
