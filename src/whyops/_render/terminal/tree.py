"""A trace → its decision path as a text tree: what the user asked, what the model thought and requested, what the tools returned."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timezone, tzinfo
from typing import NamedTuple

from ..._printable import counted, printable
from ..._trace.incomplete import gaps
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import Step
from ..._wire.used import Usage
from ..actors import Labels, actor_labels
from ..format import content_text, pretty, time_text, value_text
from ..instructions import instructions
from ..step_text import FAILED, OPEN, RESULT, IsAlive, StepText, step_text, trace_facts
from .paint import Glyphs, Line, Piece, Pieces, bar_text, glyphs_for, painted, total_width, unfolded
from .selected import EVERYTHING, Selected, Wanted
from .width import cut, width_of, wrapped, wrapped_ascii

_LEAST_WIDTH = 24
_LINES_OF_TEXT = 3
_LINES_OF_VALUE = 2
_BARS = ((140, 24), (100, 12), (72, 8))
"""How wide the bars are, by the least width of the text."""
_STYLES = {"user": ("user", "bold"), "thinking": ("dim", "thinking"), "error": ("bad", "bad text")}
"""The styles of label and text, by the kind of step."""


def render_tree(
    trace: RecordedTrace,
    *,
    width: int,
    color: bool,
    full: bool = False,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
    is_alive: IsAlive | None = None,
    wanted: Wanted = EVERYTHING,
) -> str:
    """Return the trace, or what is wanted of it, as text of at most `width` columns, ending in a line feed.

    `full` shows every value in full. `is_alive` is that of `step_text`. Times are shown in `zone`, the machine's own if None. The bars
    compare latencies: the longest takes all the room. Nothing in the trace reaches the terminal as a control character.
    """
    width = max(width, _LEAST_WIDTH)
    longest = max((step.latency_ms or 0 for step in trace.walk()), default=0)
    said = actor_labels(trace), instructions(trace)
    bars = next((room for least, room in _BARS if width >= least), 0)
    tree = _Tree(width, full, encoding, glyphs_for(encoding), zone, is_alive, longest, bars, *said, Selected(trace, wanted))
    lines = tree.lines(trace)
    if full:
        lines = (part for line in lines for part in unfolded(line, width))
    return painted(lines, width=width, color=color, ellipsis=tree.glyphs.ellipsis)


class _Text(NamedTuple):
    """A text that may take several lines under a step."""

    text: str
    style: str = ""
    mark: str = ""
    most: int = _LINES_OF_TEXT


_Shown = tuple[Line, "list[_Text]"]
"""How one step looks: its first line, and what stands below it."""


class _Tree(NamedTuple):
    width: int
    full: bool
    encoding: str
    glyphs: Glyphs
    zone: tzinfo | None
    is_alive: IsAlive | None
    longest_ms: float
    bars: int
    """How many columns the longest bar takes; 0 for none."""
    actors: Labels
    instructions: Mapping[int, Sequence[str]]
    selected: Selected

    def lines(self, trace: RecordedTrace) -> Iterator[Line]:
        yield from self._header(trace)
        found = self.selected.turns
        margin = " " * self.selected.margin
        if not found and self.selected.only_failures:
            yield from (Line(), Line([Piece("No step failed.", "dim")]))
        before = [step for step in found if step.kind != "user"]  # before any message of a user
        if before:
            yield Line()
            yield from self._steps(before, margin)
        for message in found[len(before) :]:
            yield Line()
            yield from self._step(message, margin, margin)

    def _header(self, trace: RecordedTrace) -> Iterator[Line]:
        totals = trace.totals
        began = time_text(trace.started_at, self.zone)
        yield Line([Piece(self.say(trace.trace_id), "bold")], [Piece(began, "dim")] if began else ())
        facts = filter(None, (trace.agent_name, trace.external_user_id, *trace_facts(trace)))
        errors = counted(totals.errors, "error") if totals.errors else ""
        yield from self._flowing([Piece(self.say(fact), "bad" if fact == errors else "dim") for fact in facts])
        yield from self._flowing([Piece(fact, "dim") for fact in _usage_facts(totals.usage)])
        if trace.parent_trace_id is not None:
            yield from self._flowing([Piece(self.say(f"part of trace {trace.parent_trace_id}"), "dim")])
        missing = [Piece(self.say(fact), "warn") for fact in gaps(trace, full=self.full)]
        if missing:
            missing[0] = Piece(f"incomplete: {missing[0].text}", "warn")
        complete = [Piece("complete", "dim")] if trace.events else []
        yield from self._flowing(missing or complete)

    def _flowing(self, facts: Sequence[Piece]) -> Iterator[Line]:
        """Set facts side by side, in as many lines as they take."""
        dot = Piece(f" {self.glyphs.dot} ", "dim")
        pieces: list[Piece] = []
        for fact in facts:
            if pieces and total_width([*pieces, dot, fact]) > self.width:
                yield Line(pieces)
                pieces = []
            pieces += [dot, fact] if pieces else [fact]
        if pieces:
            yield Line(pieces)

    def _steps(self, steps: Sequence[Step], guide: str) -> Iterator[Line]:
        for step in steps:
            first, rest = (self.glyphs.last, self.glyphs.blank) if step is steps[-1] else (self.glyphs.branch, self.glyphs.pipe)
            yield from self._step(step, guide + first, guide + rest)

    def _step(self, step: Step, first: str, rest: str) -> Iterator[Line]:
        margin = self.selected.margin
        if self.width - len(first) < _LEAST_WIDTH - 4:  # nested too deep for this width: go on at the left
            first, rest = f"{' ' * margin}{self.glyphs.ellipsis} ", " " * margin + self.glyphs.blank
        children = self.selected.children(step)
        said = step_text(step, self.is_alive)
        facts = (*said.facts, *said.measures) if said.kind == "tool" else said.measures
        measures = [(self._joined(facts), "dim"), *self._bar(step)] if facts else []
        actor = self._actor(step)
        (pieces, note, _), below = self._shown(said, measures, self.width - len(first) - width_of(actor))
        start = self.selected.number(step) + first[margin:]
        yield Line([(start, "dim"), (actor, "actor"), *pieces, *self._model_call_number(step)], note, (rest + self.glyphs.blank, "dim"))
        guide = rest + (self.glyphs.pipe if children else self.glyphs.blank if len(first) > margin else "")
        for text in (*self._whole_before(step, said), *below, *self._beside(step, said)):
            yield from self._below(text, guide)
        if children:
            yield from self._steps(children, rest)

    def _whole_before(self, step: Step, said: StepText) -> Iterable[_Text]:
        """Return the instructions that stand before what a step says, where all is shown."""
        if not self.full or said.kind == "user":
            return ()
        return [_Text(text, "", "system: ") for text in self.instructions.get(id(step), ())]

    def _beside(self, step: Step, said: StepText) -> Iterator[_Text]:
        """Yield what is to be known of a step besides what it says: where it failed, what is wrong in it, what is left out."""
        if self.full:
            yield from (_Text(pretty(value.value, self.width), "dim") for value in said.values if value.title == "Stack")
        if said.warnings:
            yield from (_Text(text, "warn", "~ ", _LINES_OF_VALUE) for text in said.interventions)
            if others := said.warnings[len(said.interventions) :]:
                yield _Text(self._joined(others), "warn", "~ ")
        if inside := self.selected.inside(step):
            yield _Text(inside, "dim", f"{self.glyphs.ellipsis} ")

    def _model_call_number(self, step: Step) -> list[Piece]:
        """Return which prompt a step answers, by the number that `--prompt` takes, where numbers are shown."""
        number = self.selected.model_call(step)
        return [] if number is None else [Piece(f"  prompt {number}", "dim")]

    def _actor(self, step: Step) -> str:
        """Return who acts, where that is to be said, at most a third of the width."""
        name = self.actors.get(id(step))
        if name is None:
            return ""
        said = self.say(name)
        return f"{said if self.full else cut(said, self.width // 3, self.glyphs.ellipsis)}: "

    def _below(self, text: _Text, guide: str) -> Iterator[Line]:
        said, style, mark, most = text
        indent = width_of(mark)
        before = guide + mark
        for line in self._wrapped(said, self.width - len(guide) - indent, most):
            yield Line([(before, "dim"), (line, style)])
            before = guide + " " * indent

    def _wrapped(self, text: str, room: int, most: int) -> list[str]:
        """Return the text's lines; unless `full`, of more than `most` the last ends in an ellipsis."""
        if not self.full:
            text = text[: (most + 1) * max(room, 2) * 4]
        enough = None if self.full else most + 1
        if text.isascii() and text.isprintable():
            shown = wrapped_ascii(text.rstrip(), room, enough)
        else:
            parts = (part for line in text.strip("\n").split("\n") for part in wrapped(self.say(line.rstrip()), room))
            shown = list(itertools.islice(parts, enough))
        if len(shown) == enough:
            shown = shown[:most]
            shown[-1] = shown[-1][: max(room - width_of(self.glyphs.ellipsis) - 1, 0)] + f" {self.glyphs.ellipsis}"
        return shown

    def say(self, text: str) -> str:
        return printable(text, self.encoding)

    def _shown(self, said: StepText, note: Pieces, room: int) -> _Shown:
        if said.kind == "tool":
            return self._tool_call(said, note, room)
        if said.kind in ("model", "embedding"):
            return self._model_call(said, note)
        if self.full and len(said.messages) > 1:
            return self._messages(said)
        return self._labelled(said, room)

    def _labelled(self, said: StepText, room: int) -> _Shown:
        """Put a text behind its label, its further lines aligned with the first; the facts beside it or, for want of room, below."""
        label_style, style = _STYLES.get(said.kind, ("bold", ""))
        label = f"{self.glyphs.cross} {said.label}" if said.state == FAILED else self.say(said.label)
        indent = width_of(label) + 2
        first, *more = self._wrapped(said.text, room - indent, _LINES_OF_TEXT)
        hanging = " " * (indent - len(self.glyphs.blank))
        below = [_Text(line, style, hanging) for line in more]
        others = [counted(len(said.messages) - 1, "more message")] if len(said.messages) > 1 else []
        note = self._joined((*others, *said.facts))
        if note and (below or indent + width_of(first) + 2 + width_of(note) > room):
            below.append(_Text(note, "dim", hanging))
            note = ""
        if said.state == OPEN:
            below.append(_Text(said.outcome, "warn", f"{self.glyphs.arrow} "))
        return Line([Piece(label, label_style), Piece("  "), Piece(first, style)], [Piece(note, "dim")] if note else ()), below

    def _messages(self, said: StepText) -> _Shown:
        end = [_Text(said.outcome, "warn", f"{self.glyphs.arrow} ")] if said.state == OPEN else []
        return Line([Piece("user", "user")], [Piece(self._joined(said.facts), "dim")]), [
            *(_Text(content_text(one.content), "bold" if one.role == "user" else "", f"{self.say(one.role)}: ") for one in said.messages),
            *end,
        ]

    def _model_call(self, said: StepText, note: Pieces) -> _Shown:
        head = [Piece(f"{said.kind} ", "model"), Piece(self.say(said.name), "bold")]
        if said.kind == "embedding":
            words = f" {self.glyphs.arrow} ".join(filter(None, (said.text, said.outcome)))
            return Line([*head, Piece(f"  {words}", "warn" if said.state == OPEN else "")], note), []
        head += [Piece(f"  {self.say(fact)}", "warn") for fact in said.facts]
        missing = [_Text(f"requested, but not recorded: {call}", "dim", f"{self.glyphs.arrow} ", 1) for call in said.not_recorded]
        return Line(head, note), [_Text(said.text), *missing] if said.text.strip() else missing

    def _tool_call(self, said: StepText, note: Pieces, room: int) -> _Shown:
        """Set name, arguments and outcome in one line, as far as there is room; with `full`, long values stand below."""
        whole = {value.title: value.value for value in said.values} if self.full else {}
        name, arguments = self.say(said.name), self.say(said.call[len(said.name) :])
        head, below = [(name, "tool"), (arguments, "")], []
        if self.full and width_of(arguments) + width_of(name) > self.width // 2:
            head, below = head[:1], [_Text(pretty(whole.get("Arguments"), self.width))]
        if said.state == FAILED:
            return Line([(f"{self.glyphs.cross} ", "bad"), *head], note), [*below, _Text(said.outcome, "bad text")]
        arrow, outcome = f" {self.glyphs.arrow} ", said.outcome
        style = "" if said.state == RESULT else "warn"
        if said.state == OPEN or not (below or (len(outcome) > room and outcome.isascii())):
            outcome = self.say(outcome)
            if said.state == OPEN or total_width((*head, *note)) + 2 + len(arrow) + width_of(outcome) <= room:
                return Line([*head, (arrow, "dim"), (outcome, style)], note), below
        is_value = self.full and said.state == RESULT and said.outcome == value_text(whole.get("Result"))
        value = pretty(whole["Result"], self.width) if is_value else said.outcome
        return Line(head, note), [*below, _Text(value, style, arrow[1:], _LINES_OF_VALUE)]

    def _bar(self, step: Step) -> Pieces:
        """Return a bar as long as the step's latency is beside the longest, and blanks up to the edge."""
        if not self.bars or not self.longest_ms:
            return ()
        bar = bar_text((step.latency_ms or 0) / self.longest_ms, self.bars, self.glyphs.bars)
        return (" ", ""), (bar, "bar"), (" " * (self.bars - len(bar)), "")

    def _joined(self, facts: Iterable[str]) -> str:
        return f" {self.glyphs.dot} ".join(facts)


def _usage_facts(usage: Usage) -> list[str]:
    parts = (
        (usage.prompt, "tokens in"),
        (usage.cache_read, "more from cache"),
        (usage.cache_creation, "more into cache"),
        (usage.completion, "tokens out"),
        (usage.unsplit, "other tokens"),
    )
    return [f"{number:,} {what}" for number, what in parts if number]
