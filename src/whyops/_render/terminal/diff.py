"""Two runs beside each other → text: what both decided, and where they part."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timezone, tzinfo
from itertools import islice
from os.path import commonprefix

from ..._printable import counted, printable
from ..._trace.alignment import Decision, Pair, aligned
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import LLMResponse, Step, ToolCall
from ..format import arguments_text, time_text
from ..step_text import FAILED, StepText, headline, step_text, trace_facts
from .paint import Line, Piece, glyphs_for, painted
from .width import wrapped

_LEAST_WIDTH = 24
_AROUND = 2
"""How many steps that are alike are shown before and behind those that are not."""
_DEEPEST = 8
_LINES_OF_TEXT = 3
_BEFORE_THE_PARTING = 24
"""How many characters of two texts are shown before they part."""
_SIGNS = {"- ": "bad", "+ ": "good", "~ ": "warn"}


def render_diff(
    first: RecordedTrace,
    second: RecordedTrace,
    *,
    width: int,
    color: bool,
    full: bool = False,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
    names: tuple[str, str] = ("A", "B"),
    ignore: Collection[str] = (),
) -> str:
    """Return two runs as one text of at most `width` columns: `-` stands before what A alone did, `+` before what B alone did.

    `~` stands before what both did in another way. `full` shows also all that is alike, and long values whole. `names` are those of the
    runs; what has one of the names in `ignore` is not compared.
    """
    view = _Diff(max(width, _LEAST_WIDTH), encoding, names, full=full)
    lines = [*view.heads((first, second), zone), Line(), *view.lines(aligned(first, second, ignore))]
    return painted(lines, width=view.width, color=color, ellipsis=view.glyphs.ellipsis)


class _Diff:
    def __init__(self, width: int, encoding: str, names: tuple[str, str], *, full: bool) -> None:
        self.width = width
        self.names = [name.ljust(max(map(len, names))) for name in names]
        self.encoding = encoding
        self.glyphs = glyphs_for(encoding)
        self.full = full

    def heads(self, traces: Sequence[RecordedTrace], zone: tzinfo | None) -> Iterator[Line]:
        """Yield a line for each run: its name here, its id, how much there is of it, when it began."""
        for name, trace in zip(self.names, traces, strict=True):
            began = time_text(trace.started_at, zone)
            yield Line([Piece(f"{name}  "), Piece(self._say(trace.trace_id), "bold")], [Piece(began, "dim")] if began else ())
            yield Line([Piece(f"{' ' * len(name)}  {f' {self.glyphs.dot} '.join(trace_facts(trace))}", "dim")])

    def lines(self, pairs: Sequence[Pair]) -> Iterator[Line]:
        """Yield what is said in one line of both runs, and the steps."""
        shown = self._shown(pairs)
        yield self._summary(pairs)
        if not any(shown):
            return
        yield Line()
        place = 0
        while place < len(pairs):
            if shown[place]:
                yield from self._pair(pairs[place])
                place += 1
                continue
            end = next((later for later in range(place, len(pairs)) if shown[later]), len(pairs))
            yield Line([Piece(f"  {self.glyphs.ellipsis} {counted(end - place, 'step')} alike", "dim")])
            place = end

    def _shown(self, pairs: Sequence[Pair]) -> list[bool]:
        """Tell of each pair whether it is shown: where it is not alike, or stands near such a one; one alone is not worth a fold."""
        shown = [self.full] * len(pairs)
        for place, pair in enumerate(pairs):
            if not pair.is_alike:
                near = range(max(place - _AROUND, 0), min(place + _AROUND + 1, len(pairs)))
                for one in near:
                    shown[one] = True
        for place in range(1, len(shown) - 1):
            shown[place] = shown[place] or (shown[place - 1] and shown[place + 1])
        return shown

    def _summary(self, pairs: Sequence[Pair]) -> Line:
        if not pairs:
            return Line([Piece("Neither run has a step.")])
        parted = next((place for place, pair in enumerate(pairs) if not pair.is_alike), None)
        if parted is None:
            return Line([Piece(f"Both did the same: {counted(len(pairs), 'step')}.", "good")])
        differ = sum(not pair.is_same_decision for pair in pairs)
        came = sum(pair.is_same_decision and not pair.is_alike for pair in pairs)
        facts = [f"{counted(differ, 'step')} {'differs' if differ == 1 else 'differ'}"] if differ else []
        facts += [f"{counted(came, 'step')} with another result"] if came else []
        return Line([Piece(f"They part at step {parted + 1:,} of {len(pairs):,}: {', '.join(facts)}.", "bold")])

    def _pair(self, pair: Pair) -> Iterator[Line]:
        if pair.first is None or pair.second is None:
            one = pair.first or pair.second
            if one is not None:
                yield from self._alone(one, "- " if pair.second is None else "+ ")
        elif pair.is_alike:
            yield self._line(pair.first, "  ", headline(step_text(pair.first.step)), "dim")
        elif pair.is_same_decision:
            yield self._line(pair.first, "~ ", headline(step_text(pair.first.step)))
            yield from self._both(pair.first, *(_outcome(step_text(one.step), self.glyphs.arrow) for one in (pair.first, pair.second)))
        else:
            yield self._line(pair.first, "~ ", step_text(pair.first.step).label)
            yield from self._both(pair.first, *_said(pair.first, pair.second))

    def _alone(self, one: Decision, sign: str) -> Iterator[Line]:
        said = step_text(one.step)
        yield self._line(one, sign, headline(said), _SIGNS[sign])
        if said.state == FAILED and said.outcome:
            yield self._line(one, "  ", f"  {self.glyphs.cross} {said.outcome}", "bad text")

    def _both(self, one: Decision, first: str, second: str) -> Iterator[Line]:
        """Yield what the two runs have instead of each other, from a little before the place where they part."""
        margins = [f"  {self._indent(one)}  {name} " for name in self.names]
        parts_at = len(commonprefix((first, second)))  # noqa: RUF071  (they are texts, and no paths)
        skipped = parts_at - _BEFORE_THE_PARTING if parts_at > self.width - len(margins[0]) and not self.full else 0
        for margin, text in zip(margins, (first, second), strict=True):
            shown = f"{self.glyphs.ellipsis}{text[skipped:]}" if skipped else text
            parts = (part for line in shown.split("\n") for part in wrapped(self._say(line), self.width - len(margin)))
            lines = list(islice(parts, None if self.full else _LINES_OF_TEXT))
            if next(parts, None) is not None:
                lines[-1] += f" {self.glyphs.ellipsis}"
            for number, line in enumerate(lines):
                yield Line([Piece(margin if number == 0 else " " * len(margin), "dim"), Piece(line)])

    def _line(self, one: Decision, sign: str, text: str, style: str = "") -> Line:
        first = " ".join(text.split("\n")[:2]) if "\n" in text else text
        return Line([Piece(sign, _SIGNS.get(sign, "")), Piece(self._indent(one)), Piece(self._say(first), style)])

    def _indent(self, one: Decision) -> str:
        return "  " * min(one.depth, _DEEPEST, self.width // 8)

    def _say(self, text: str) -> str:
        return printable(text, self.encoding)


def _outcome(said: StepText, arrow: str) -> str:
    return f"{arrow} {said.outcome or 'no response recorded'}"


def _said(first: Decision, second: Decision) -> tuple[str, str]:
    """Return what two steps said instead of each other: of arguments by name those that are not the same."""
    if isinstance(first.step, ToolCall) and isinstance(second.step, ToolCall):
        one, other = first.step.arguments, second.step.arguments
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return _arguments(one, other), _arguments(other, one)
    return _words(first.step), _words(second.step)


def _arguments(own: Mapping[str, object], others: Mapping[str, object]) -> str:
    differing = {name: value for name, value in own.items() if name not in others or others[name] != value}
    return arguments_text(differing) or "(without)"


def _words(step: Step) -> str:
    requested = step.requested if isinstance(step, LLMResponse) else ()
    calls = ", ".join(f"{tool.name}({arguments_text(tool.arguments)})" for tool in requested)
    return "\n".join(filter(None, (step_text(step).text, f"requests {calls}" if calls else ""))) or "(nothing)"
