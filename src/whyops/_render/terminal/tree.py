"""A trace → its decision path as a text tree: what the user said, what the model thought and chose, what the tools gave back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timezone, tzinfo

from ..._printable import counted, printable
from ..._trace.incomplete import gaps
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import USUAL_ENDS, Embedding, Failure, ModelAnswer, RequestedTool, Step, Thinking, ToolCall, UserMessage
from ..._wire.read import Usage
from ..format import arguments_text, content_text, duration_text, pretty, time_text, usage_facts, value_text
from .paint import Glyphs, Line, Piece, bar_text, glyphs_for, painted, unfolded
from .width import width_of, wrapped

_LEAST_WIDTH = 24
_LINES_OF_TEXT = 3
_LINES_OF_VALUE = 2
_BARS = ((140, 24), (100, 12), (72, 8))
"""How wide the bars are, by the least width of the text."""


def render_tree(
    trace: RecordedTrace,
    *,
    width: int,
    color: bool,
    full: bool = False,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
    is_alive: Callable[[str], bool | None] | None = None,
) -> str:
    """Return the trace as text of at most `width` columns, ending in a line feed.

    `full` shows all values whole. `is_alive` tells of the process that an idempotency key begins with whether it still runs (None: not
    known): so a call without a response is still open, or cut off. Times are shown in `zone`, the machine's own if None. The bars
    compare latencies: the longest takes all the room. Nothing in the trace reaches the terminal as a control character.
    """
    width = max(width, _LEAST_WIDTH)
    longest = max((step.latency_ms or 0 for step in trace.walk()), default=0)
    tree = _Tree(width, full, encoding, glyphs_for(encoding), zone, is_alive, longest)
    lines = tree.lines(trace)
    if full:
        lines = (part for line in lines for part in unfolded(line, width))
    return painted(lines, width=width, color=color, ellipsis=tree.glyphs.ellipsis)


@dataclass(frozen=True)
class _Text:
    """A text that may take several lines under a step."""

    text: str
    style: str = ""
    mark: str = ""
    most: int = _LINES_OF_TEXT


@dataclass(frozen=True)
class _Body:
    """How one step looks: its first line, and what stands below it."""

    head: Sequence[Piece]
    note: Sequence[Piece] = ()
    below: Sequence[_Text] = ()


@dataclass(frozen=True)
class _Tree:
    width: int
    full: bool
    encoding: str
    glyphs: Glyphs
    zone: tzinfo | None
    is_alive: Callable[[str], bool | None] | None
    longest_ms: float

    def lines(self, trace: RecordedTrace) -> Iterator[Line]:
        yield from self._header(trace)
        for turn in _turns(trace.steps):
            yield Line()
            if isinstance(turn[0], UserMessage):
                turn_steps = (*turn[0].children, *turn[1:])
                yield from self._step(turn[0], turn_steps, "", "")
            else:
                yield from self._steps(turn, "")

    def _header(self, trace: RecordedTrace) -> Iterator[Line]:
        totals = trace.totals
        began = time_text(trace.started_at, self.zone)
        yield Line([Piece(self.say(trace.trace_id), "bold")], [Piece(began, "dim")] if began else ())
        facts = [Piece(self.say(name), "dim") for name in (trace.agent_name, trace.external_user_id) if name]
        facts += [Piece(counted(totals.events, "event"), "dim"), Piece(counted(totals.calls, "tool call"), "dim")]
        if totals.errors:
            facts.append(Piece(counted(totals.errors, "error"), "bad"))
        if trace.duration_ms:
            facts.append(Piece(duration_text(trace.duration_ms), "dim"))
        yield from self._flowing(facts)
        yield from self._flowing([Piece(fact, "dim") for fact in _usage_facts(totals.usage)])
        missing = [Piece(self.say(fact), "warn") for fact in gaps(trace, full=self.full)]
        if missing:
            missing[0] = Piece(f"not here: {missing[0].text}", "warn")
        elif trace.events:
            missing = [Piece("nothing is missing, as far as is known", "dim")]
        yield from self._flowing(missing)

    def _flowing(self, facts: Sequence[Piece]) -> Iterator[Line]:
        """Set facts side by side, in as many lines as they take."""
        dot = Piece(f" {self.glyphs.dot} ", "dim")
        pieces: list[Piece] = []
        taken = 0
        for fact in facts:
            length = width_of(fact.text)
            if pieces and taken + len(dot.text) + length > self.width:
                yield Line(pieces)
                pieces, taken = [], 0
            taken += length + len(dot.text) * bool(pieces)
            pieces += [dot, fact] if pieces else [fact]
        if pieces:
            yield Line(pieces)

    def _steps(self, steps: Sequence[Step], guide: str) -> Iterator[Line]:
        for index, step in enumerate(steps):
            is_last = index == len(steps) - 1
            first, rest = (self.glyphs.last, self.glyphs.blank) if is_last else (self.glyphs.branch, self.glyphs.pipe)
            yield from self._step(step, step.children, guide + first, guide + rest)

    def _step(self, step: Step, children: Sequence[Step], first: str, rest: str) -> Iterator[Line]:
        room = self.width - width_of(first)
        if room < _LEAST_WIDTH - 4:  # nested too deep for this width: go on at the left
            first, rest = f"{self.glyphs.ellipsis} ", self.glyphs.blank
            room = self.width - width_of(first)
        body = self._body(step, room)
        yield Line([Piece(first, "dim"), *body.head], body.note, Piece(rest + self.glyphs.blank, "dim"))
        guide = rest + (self.glyphs.pipe if children else self.glyphs.blank if first else "")
        for text in body.below:
            yield from self._below(text, guide)
        yield from self._steps(children, rest)

    def _below(self, text: _Text, guide: str) -> Iterator[Line]:
        room = self.width - width_of(guide) - width_of(text.mark)
        lines = self._wrapped(text.text, room, None if self.full else text.most)
        for index, line in enumerate(lines):
            mark = text.mark if index == 0 else " " * width_of(text.mark)
            yield Line([Piece(guide + mark, "dim"), Piece(line, text.style)])

    def _wrapped(self, text: str, room: int, most: int | None) -> list[str]:
        """Return the text's lines; of more than `most`, the last ends in an ellipsis."""
        if most is not None:
            text = text[: (most + 1) * max(room, 2) * 4]
        shown: list[str] = []
        for line in text.strip("\n").split("\n"):
            for part in wrapped(self.say(line.rstrip()), room):
                if most is not None and len(shown) == most:
                    shown[-1] = shown[-1][: max(room - width_of(self.glyphs.ellipsis) - 1, 0)] + f" {self.glyphs.ellipsis}"
                    return shown
                shown.append(part)
        return shown

    def say(self, text: str) -> str:
        return printable(text, self.encoding)

    def _body(self, step: Step, room: int) -> _Body:
        if isinstance(step, ToolCall):
            body = self._tool_call(step, room)
        elif isinstance(step, ModelAnswer):
            body = self._answer(step)
        elif isinstance(step, UserMessage):
            body = self._user_message(step, room)
        elif isinstance(step, Thinking):
            body = self._labelled(Piece("thinking", "dim"), _Text(content_text(step.text), "thinking"), step, room)
        elif isinstance(step, Embedding):
            body = self._embedding(step)
        elif isinstance(step, Failure):
            body = self._failure(step, room)
        else:
            body = self._labelled(Piece(self.say(step.first.type), "bold"), _Text(value_text(step.first.content)), step, room)
        return body

    def _labelled(self, label: Piece, text: _Text, step: Step, room: int, note: str = "") -> _Body:
        """Put a text behind its label, its further lines aligned with the first; the note beside it or, for want of room, below."""
        indent = width_of(label.text) + 2
        most = None if self.full else text.most
        lines = self._wrapped(text.text, room - indent, most)
        hanging = " " * (indent - len(self.glyphs.blank))
        below = [_Text(line, text.style, hanging) for line in lines[1:]]
        head = [label, Piece("  "), Piece(lines[0], text.style)]
        if note and (below or indent + width_of(lines[0]) + 2 + width_of(note) > room):
            below.append(_Text(note, "dim", hanging))
            note = ""
        return _Body(head, [Piece(note, "dim")] if note else (), [*below, *self._marks(step)])

    def _user_message(self, step: UserMessage, room: int) -> _Body:
        messages = step.messages
        notes = [] if step.offered is None else [f"{counted(step.offered, 'tool')} offered"]
        if self.full and len(messages) > 1:
            texts = [_Text(content_text(one.content), "bold" if one.role == "user" else "", f"{self.say(one.role)}: ") for one in messages]
            return _Body([Piece("user", "user")], [Piece(note, "dim") for note in notes], [*texts, *self._marks(step)])
        shown = step.asked
        if len(messages) > 1:
            notes.insert(0, counted(len(messages) - 1, "more message"))
        text = _Text(content_text(shown.content), "bold")
        return self._labelled(Piece(self.say(shown.role), "user"), text, step, room, f" {self.glyphs.dot} ".join(notes))

    def _answer(self, step: ModelAnswer) -> _Body:
        head = [Piece("model ", "model"), Piece(self.say(step.model), "bold")]
        if step.finish_reason and step.finish_reason not in USUAL_ENDS:
            head.append(Piece(f"  stopped: {self.say(step.finish_reason)}", "warn"))
        below = []
        text = content_text(step.content)
        if text.strip():
            below.append(_Text(text))
        below += [_Text(f"chosen, but no call recorded: {_call_text(tool)}", "dim", f"{self.glyphs.arrow} ", 1) for tool in step.not_called]
        return _Body(head, self._note(step), [*below, *self._marks(step)])

    def _tool_call(self, step: ToolCall, room: int) -> _Body:
        head, arguments = self._call_head(step)
        note = self._note(step)
        if step.error is not None:
            stack = [_Text(step.stack, "dim")] if self.full and step.stack else []
            return _Body(
                [Piece(f"{self.glyphs.cross} ", "bad"), *head],
                note,
                [*arguments, _Text(step.error, "bad text"), *stack, *self._marks(step)],
            )
        arrow = f" {self.glyphs.arrow} "
        if not step.is_finished:
            return _Body([*head, Piece(arrow, "dim"), Piece(self._open_text(step.process), "warn")], note, [*arguments, *self._marks(step)])
        was_stopped = step.interrupted is not None and step.result is None
        result = f"interrupted ({self.say(step.interrupted or '')})" if was_stopped else self.say(value_text(step.result))
        style = "warn" if was_stopped else ""
        taken = sum(width_of(piece.text) for piece in (*head, *note)) + 2
        if not arguments and taken + width_of(arrow) + width_of(result) <= room:
            return _Body([*head, Piece(arrow, "dim"), Piece(result, style)], note, self._marks(step))
        if was_stopped:
            return _Body(head, note, [*arguments, _Text(result, "warn", f"{self.glyphs.arrow} "), *self._marks(step)])
        value = _Text(
            pretty(step.result, self.width) if self.full else value_text(step.result), "", f"{self.glyphs.arrow} ", _LINES_OF_VALUE
        )
        return _Body(head, note, [*arguments, value, *self._marks(step)])

    def _call_head(self, step: ToolCall) -> tuple[list[Piece], list[_Text]]:
        """Return name and arguments, and what of the arguments is to stand below: with `full`, all that takes more than a line."""
        several = len(step.requested) > 1
        text = ", ".join(map(_call_text, step.requested)) if several else arguments_text(step.arguments)
        name = Piece(self.say(step.name), "tool")
        text = f"({self.say(text)})"
        if self.full and width_of(text) + width_of(name.text) > self.width // 2:
            return [name], [_Text(pretty(step.arguments, self.width))]
        return [name, Piece(text)], []

    def _open_text(self, process: str | None) -> str:
        alive = None if process is None or self.is_alive is None else self.is_alive(process)
        return {True: "still open", False: "process ended here", None: "no response recorded"}[alive]

    def _embedding(self, step: Embedding) -> _Body:
        head = [Piece("embedding ", "model"), Piece(self.say(step.model or ""), "bold")]
        facts = [counted(len(step.inputs), "text")] if step.inputs else []
        if step.count is not None:
            facts.append(counted(step.count, "vector"))
        head.append(Piece("  " + f" {self.glyphs.arrow} ".join(facts)))
        if not step.is_finished:
            head.append(Piece(f" {self.glyphs.arrow} {self._open_text(step.first.process)}", "warn"))
        return _Body(head, self._note(step), self._marks(step))

    def _failure(self, step: Failure, room: int) -> _Body:
        status = "" if step.status is None else f" (status {step.status})"
        body = self._labelled(Piece(f"{self.glyphs.cross} error", "bad"), _Text(f"{step.message}{status}", "bad text"), step, room)
        stack = [_Text(step.stack, "dim")] if self.full and step.stack else []
        return _Body(body.head, body.note, [*body.below, *stack])

    def _note(self, step: Step) -> list[Piece]:
        parts = [part for part in (*usage_facts(step.usage), duration_text(step.latency_ms)) if part]
        return [Piece(f" {self.glyphs.dot} ".join(parts), "dim"), *self._bar(step)] if parts else []

    def _bar(self, step: Step) -> list[Piece]:
        """Return a bar as long as the step's latency is beside the longest, and blanks up to the edge."""
        room = next((room for least, room in _BARS if self.width >= least), 0)
        if not room or not self.longest_ms:
            return []
        bar = bar_text((step.latency_ms or 0) / self.longest_ms, room, self.glyphs.bars)
        return [Piece(" "), Piece(bar, "bar"), Piece(" " * (room - len(bar)))]

    def _marks(self, step: Step) -> list[_Text]:
        marks = [*_ending(step), *_damage(step)]
        return [_Text(f" {self.glyphs.dot} ".join(marks), "warn", "~ ")] if marks else []


def _turns(steps: Sequence[Step]) -> list[list[Step]]:
    """Cut the path where a user speaks."""
    turns: list[list[Step]] = []
    for step in steps:
        if not turns or isinstance(step, UserMessage):
            turns.append([])
        turns[-1].append(step)
    return turns


def _call_text(tool: RequestedTool) -> str:
    return f"{tool.name}({arguments_text(tool.arguments)})"


def _ending(step: Step) -> list[str]:
    """Tell how a call ended that came to a result and yet not to its end."""
    if not isinstance(step, ToolCall):
        return []
    if step.interrupted is not None and step.result is not None:
        return [f"interrupted ({step.interrupted})"]
    return ["closed early by its reader"] if step.closed_early else []


def _damage(step: Step) -> list[str]:
    """Tell what of a step is not there as it was."""
    parts = ((step.truncated, "cut"), (step.redacted, "redacted"))
    return [f"{counted(number, 'value')} {what}" for number, what in parts if number]


def _usage_facts(usage: Usage) -> list[str]:
    parts = (
        (usage.prompt, "tokens in"),
        (usage.cache_read, "more from cache"),
        (usage.cache_creation, "more into cache"),
        (usage.completion, "tokens out"),
        (usage.unsplit, "other tokens"),
    )
    return [f"{number:,} {what}" for number, what in parts if number]
