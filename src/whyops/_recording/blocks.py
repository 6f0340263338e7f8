"""The blocks of a trace or a span: `with` and `async with`, entered and left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .._runtime import guard
from .._wire import exceptions
from . import context
from .frames import Frame
from .open_generators import COLLECTS_ANYWHERE, KEEPS_STATE, Stepped, block_statement, stepped_around
from .recorder import TraceEnd
from .trace_writer import TraceWriter

if TYPE_CHECKING:
    from typing_extensions import Self


at_end: list[Callable[[TraceWriter], None]] = []
"""What is called where the outermost block of a trace ends; integrations add to it."""


class GeneratorFrame(Frame):
    """The frame of a block in a generator: live while the generator takes a step."""

    __slots__ = ("stepped",)

    def __init__(
        self,
        trace: TraceWriter,
        span_id: str | None,
        owner: object,
        beneath: Frame | None,
        is_trace: bool,  # noqa: FBT001  (as a frame takes it)
        stepped: Stepped,
    ) -> None:
        super().__init__(trace, span_id, owner, beneath, is_trace)
        self.stepped = stepped
        stepped.blocks.append(self)

    def is_live(self) -> bool:
        """Tell whether the generator takes a step. It may do so here, or wait for what it has started."""
        return self.stepped.is_running()


Block: TypeAlias = "tuple[int, Frame, context.Stay | None]"
"""One open block: the id of the frame that its `with` stands in, which itself is not to be kept; what is current in it; and its stay.

The stay is there where the `with` stands in a generator or a coroutine, which may leave the block in another context than it was entered
in. Elsewhere only calls of `__enter__` and `__exit__` by hand do so. A tuple: an object of a class would be a tenth of a block's cost.
"""

Left: TypeAlias = "tuple[TraceWriter, bool]"
"""A block that was left: what wrote its events, and whether it was the outermost."""


class Blocks:
    """The open blocks of one trace or span, which may be entered again, and by many tasks and threads at once."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Block] = []

    def enter(
        self,
        trace: TraceWriter,
        span_id: str | None,
        owner: object,
        beneath: Frame | None,
        is_trace: bool = False,  # noqa: FBT001, FBT002  (as a frame takes it)
        begins: bool = False,  # noqa: FBT001, FBT002  (as above)
    ) -> None:
        """Make `trace` and `span_id` current for the block that begins: the trace's own, or a span's. `begins` tells that a turn begins.

        `beneath` is `context.beneath()`, which whoever enters a block has asked already.
        """
        statement = block_statement(sys._getframe(2))  # noqa: SLF001  (the documented way to the caller's frame; the first is `__enter__`)
        if statement is not None and statement.f_code.co_flags & KEEPS_STATE:
            stepped = stepped_around(statement)
            frame = (
                Frame(trace, span_id, owner, beneath, is_trace)
                if stepped is None
                else GeneratorFrame(trace, span_id, owner, beneath, is_trace, stepped)
            )
            block: Block = (id(statement), frame, context.Stay(frame))
        else:
            frame = Frame(trace, span_id, owner, beneath, is_trace)
            context.current.set(frame)
            block = (id(statement), frame, None)
        self._open.append(block)
        if begins:
            frame.trace = trace.open_run(self._open[0] is block)  # of those that begin at once one is the first

    def leave(self, error: BaseException | None) -> Left | None:
        """Make current again what was before the block that ends. Return what that was; None if none is open.

        A block that was entered by hand in another context only is left alone: it ends there.
        """
        open_blocks = self._open
        block = open_blocks[0] if len(open_blocks) == 1 else self._ending()
        if block is None:
            return None
        _, frame, stay = block
        was_outermost = False
        if stay is not None:
            open_blocks.remove(block)
            was_outermost = _leave_stay(frame, stay, error)
        elif (place := context.take_out(frame, frame.is_trace)) is None:
            _say_left_elsewhere(frame)
        else:
            open_blocks.remove(block)
            was_outermost = place.previous is None or context.around(place) is None
        if frame.is_trace:
            for _, other, _ in open_blocks:  # `any` costs each block inside another more
                if other.trace is frame.trace:
                    break
            else:
                frame.trace.close_run(error is None)
        return frame.trace, was_outermost

    def _ending(self) -> Block | None:
        """Return the block that is being left: the latest of the same `with`, else the latest that is open here, else the latest."""
        if len(self._open) <= 1:
            return next(iter(self._open), None)
        blocks = self._open[::-1]
        place = id(block_statement(sys._getframe(2)))  # noqa: SLF001  (as above)
        for block in blocks:
            if block[2] is not None and block[0] == place:
                return block
        for block in blocks:
            if context.is_here(block[1]):
                return block
        return blocks[0]


def _leave_stay(frame: Frame, stay: context.Stay, error: BaseException | None) -> bool:
    """End it. Tell whether nothing was current around it."""
    if isinstance(frame, GeneratorFrame):
        frame.over = True
        frame.stepped.end(frame)
        if COLLECTS_ANYWHERE and isinstance(error, GeneratorExit):  # the frame is passed over, and goes with the next block
            return context.around(frame) is None
    is_here, is_outermost = stay.leave()
    if not is_here and type(frame) is Frame and not isinstance(error, GeneratorExit):
        _say_left_elsewhere(frame)
    return is_outermost


class TraceBlock:
    """The block of a trace, which makes it current. What users see of a trace is in the class that is made of this one."""

    _writer: TraceWriter
    _blocks: Blocks

    def __enter__(self) -> Self:
        writer = self._writer
        beneath = context.beneath()
        around = context.live_of(beneath)
        parent_id = writer.sent_from
        if around is not None and writer.is_same_as(around.trace):
            parent_id = around.span_id
            if around.trace.run is not None:
                run = writer if around.trace is writer else context.here(writer)[0]
                self._blocks.enter(run, parent_id, self, beneath, True)  # noqa: FBT003  (a keyword costs each block more)
                return self
        self._blocks.enter(writer, parent_id, self, beneath, True, True)  # noqa: FBT003  (as above)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        if (end := self._end(error, self._blocks.leave(error))) is not None:
            end.wait()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        if (end := self._end(error, self._blocks.leave(error))) is not None:
            await end.wait_async()

    def _end(self, error: BaseException | None, left: Left | None) -> TraceEnd | None:
        """Record what leaves the block as an exception. Return what is to be waited for, if that was the outermost block."""
        if error is not None and exceptions.is_error(error):  # where the garbage collector closes a generator, nothing looks at the context
            self._record_leaving(error, self._writer if left is None else left[0])
        if left is None or not left[1]:
            return None
        for act in at_end:
            guard.recording(act)(self._writer)
        return self._writer.recorder.at_trace_end

    @guard.recording
    def _record_leaving(self, error: BaseException, writer: TraceWriter) -> None:
        writer.record_exception(error, parent_id=context.span_id_in(writer), hides_text=context.hides_text())


def begin(trace: TraceBlock) -> TraceWriter:
    """Return what writes the events of a turn that goes on piece by piece, with nothing current in between, until `end`."""
    return trace._writer.open_run()  # noqa: SLF001  (of this file)


def end(trace: TraceBlock, run: TraceWriter, error: BaseException | None) -> None:
    """End such a turn, with an exception that leaves it or with none."""
    run.close_run(error is None)
    if (waiting := trace._end(error, (run, True))) is not None:  # noqa: SLF001  (of this file)
        waiting.wait()


B = TypeVar("B", bound=TraceBlock)


def trace_of(kind: type[B], writer: TraceWriter) -> B:
    """Return a trace object for what writes a trace's events."""
    trace = kind.__new__(kind)
    trace._writer = writer  # noqa: SLF001  (one of this file)
    trace._blocks = Blocks()  # noqa: SLF001  (as above)
    return trace


def arrived(kind: type[B], writer: TraceWriter, span_id: str | None) -> B:
    """Return a trace out of a pickle: what is recorded in it are children of the span that it was sent from."""
    writer.sent_from = span_id
    return trace_of(kind, writer)


def _say_left_elsewhere(frame: Frame) -> None:
    guard.notices.say(
        "block left elsewhere",
        "The block of trace %s was left in another context than it was entered in, as happens in a synchronous dependency with "
        "`yield`: what was called in between may not have found it. Make that `async`, or open the block where the calls are.",
        frame.trace.id,
    )
