"""One call of a model → its prompt as the model saw it, as text in which one sees what is new."""

from __future__ import annotations

from collections.abc import Iterator

from ..._printable import counted, printable
from ..._trace.model_calls import ModelCall
from ..._trace.recorded import RecordedTrace
from ..._wire.prompt import PromptMessage
from ..format import arguments_text, content_text
from ..page.prompts import Prompts
from .paint import Line, Piece, glyphs_for, painted, paragraph

_LEAST_WIDTH = 24
_NEW, _KNOWN = "+ ", "  "


def render_prompt(trace: RecordedTrace, number: int, *, width: int, color: bool, encoding: str = "utf-8") -> str | None:
    """Return the prompt of a model's call by its number in the trace, from 1; None, if there are not so many calls.

    Every message is whole, in order, in lines of at most `width` columns. A `+` stands before those that no earlier prompt of the trace
    had.
    """
    if not 1 <= number <= len(trace.model_calls):
        return None
    view = _Prompt(trace, number, max(width, _LEAST_WIDTH), encoding)
    return painted(view.lines(), width=view.width, color=color, ellipsis=view.glyphs.ellipsis)


class _Prompt:
    def __init__(self, trace: RecordedTrace, number: int, width: int, encoding: str) -> None:
        self.trace = trace
        self.number = number
        self.call: ModelCall = trace.model_calls[number - 1]
        self.new = set(Prompts(trace).new[number - 1])
        self.width = width
        self.encoding = encoding
        self.glyphs = glyphs_for(encoding)

    def lines(self) -> Iterator[Line]:
        """Yield whose prompt it is, and its messages."""
        call, count = self.call, len(self.trace.model_calls)
        head = [Piece(printable(self.trace.trace_id, self.encoding), "bold")]
        yield Line(head, [Piece(f"model call {self.number:,} of {count:,}", "dim")])
        told = (f"{call.missing:,} not recorded here" if call.missing else "", f"{len(self.new):,} new")
        messages = counted(len(call.prompt or ()), "message")
        facts = (call.agent, call.node, f"model {call.model}", f"{messages} ({', '.join(filter(None, told))})" if call.prompt else None)
        yield from self._dim(f" {self.glyphs.dot} ".join(filter(None, facts)))
        if call.tools:
            yield from self._dim(f"{counted(len(call.tools), 'tool')} offered: {', '.join(call.tools)}")
        if call.params:
            yield from self._dim(arguments_text(call.params))
        yield Line()
        if not call.prompt:
            yield from self._dim("Nothing that is recorded here tells of the prompt.")
        for place, message in enumerate(call.prompt or ()):
            yield from self._message(message, is_new=place in self.new)

    def _dim(self, text: str) -> Iterator[Line]:
        return paragraph(text, "dim", self.width, "", self.encoding)

    def _message(self, message: PromptMessage, *, is_new: bool) -> Iterator[Line]:
        mark, style = (_NEW, "") if is_new else (_KNOWN, "dim")
        text = "(a message that is not recorded here)" if message.is_missing else content_text(message.content)
        of = message.name or (message.tool_call_id if message.role == "tool" else None)
        label = message.role if of is None else f"{message.role} {of}"
        yield Line(
            [Piece(mark, "good"), Piece(printable("…" if message.is_missing else label, self.encoding), "bold" if is_new else "dim")]
        )
        for line in text.split("\n") if text else ():
            yield from self._behind(mark, line, style)
        for call in message.tool_calls:
            yield from self._behind(mark, f"{self.glyphs.arrow} {call.name}({arguments_text(call.arguments)})", style)

    def _behind(self, mark: str, text: str, style: str) -> Iterator[Line]:
        for line in paragraph(text, style, self.width, "    ", self.encoding):
            yield Line([Piece(mark, "good"), Piece(line.pieces[0][0][len(mark) :]), *line.pieces[1:]])
