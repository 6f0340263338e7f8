"""What became of each destination's events → text: how many arrived, how many wait, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..._outbox.inspect import Waiting
from ..._outbox.reasons import together
from ..._printable import printable
from .paint import Line, Piece, glyphs_for, painted, paragraph

_LEAST_WIDTH = 24
_INDENT = "  "
_NOT_CONTINUED = "not continued (traces of other processes)"


@dataclass(frozen=True)
class DestinationStatus:
    """One destination by its name, the numbers of its events, and what can be done about those that did not arrive."""

    name: str
    numbers: Waiting
    advice: Sequence[str] = ()


def render_status(destinations: Sequence[DestinationStatus], *, width: int, color: bool, encoding: str = "utf-8") -> str:
    """Return the destinations as text of at most `width` columns."""
    width = max(width, _LEAST_WIDTH)
    lines: list[Line] = []
    for destination in destinations:
        lines += [Line()] if lines else []
        lines += _lines(destination, width, encoding)
    return painted(lines, width=width, color=color, ellipsis=glyphs_for(encoding).ellipsis)


def _lines(status: DestinationStatus, width: int, encoding: str) -> Iterator[Line]:
    yield Line([Piece(printable(status.name, encoding), "bold")])
    counts = status.numbers.counts
    facts: tuple[tuple[int, str, str, dict[str, int]], ...] = (
        (status.numbers.recorded, "recorded", "", {}),
        (counts.delivered, "delivered", "good", {}),
        *([(counts.accepted, "accepted by the service's queue", "good", {})] if counts.accepted else []),
        (status.numbers.waiting, "waiting", "warn", {}),
        (counts.rejected, "rejected", "bad", counts.rejected_reasons),
        (counts.sampled_out, "sampled out", "warn", counts.sampled_out_reasons),
        (counts.dropped, "dropped", "bad", {}),
        (counts.not_recorded, "not recorded", "bad", counts.not_recorded_reasons),
        *([(counts.not_continued, _NOT_CONTINUED, "warn", counts.not_continued_reasons)] if counts.not_continued else []),
    )
    digits = max(len(f"{number:,}") for number, *_ in facts)
    for number, what, style, reasons in facts:
        yield Line([Piece(f"{_INDENT}{number:>{digits},} {what}", style if number else "dim")])
        for reason, count in together(reasons).items():
            yield from paragraph(f"{count:,}: {reason or 'no reason given'}", "dim", width, " " * (len(_INDENT) + digits + 1), encoding)
    for text in status.advice:
        yield from paragraph(text, "", width, _INDENT, encoding)
