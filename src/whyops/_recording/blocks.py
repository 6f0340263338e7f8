"""The blocks of a trace or a span: `with` and `async with`, entered and left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .._runtime import guard
from . import context
from .generators import COLLECTS_ANYWHERE, Stepped, block_statement, keeps_state, stepped_around

if TYPE_CHECKING:
    from .trace import Trace


class GeneratorFrame(context.Frame):
    """The frame of a block in a generator: live while the generator takes a step."""

    __slots__ = ("stepped",)

    def __init__(self, trace: Trace, span_id: str | None, owner: object, stepped: Stepped) -> None:
        super().__init__(trace, span_id, owner, context.beneath())
        self.stepped = stepped
        stepped.blocks.append(self)

    def is_live(self) -> bool:
        """Tell whether the generator takes a step. It may do so here, or wait for what it has started."""
        return self.stepped.is_running()


class Block:
    """One open block. `place` is the id of the frame that its `with` stands in: the frame itself is not to be kept.

    `stay` is there where that is a generator or a coroutine, which may leave the block in another context than it was entered in. Elsewhere
    only calls of `__enter__` and `__exit__` by hand do so.
    """

    __slots__ = ("frame", "place", "stay")

    def __init__(self, place: int, frame: context.Frame, stay: context.Stay | None) -> None:
        self.place = place
        self.frame = frame
        self.stay = stay


class Blocks:
    """The open blocks of one trace or span, which may be entered again, and by many tasks and threads at once."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Block] = []

    def enter(self, trace: Trace, span_id: str | None, owner: object) -> None:
        """Make `trace` and `span_id` current for the block that begins."""
        statement = block_statement(sys._getframe(1))  # noqa: SLF001  (the documented way to the caller's frame)
        if not keeps_state(statement):
            self._open.append(Block(id(statement), context.enter(trace, span_id, owner), None))
            return
        stepped = stepped_around(statement)
        if stepped is not None:
            frame: context.Frame = GeneratorFrame(trace, span_id, owner, stepped)
        else:
            frame = context.Frame(trace, span_id, owner, context.beneath())
        self._open.append(Block(id(statement), frame, context.Stay(frame)))

    def leave(self, error: BaseException | None) -> bool:
        """Make current again what was before the block that ends. Tell whether it was the outermost.

        A block that was entered by hand in another context only is left alone: it ends there.
        """
        block = self._ending()
        if block is None:
            return False
        frame = block.frame
        if block.stay is None:
            place = context.take_out(frame, and_spans=frame.owner is frame.trace)
            if place is None:
                _say_left_elsewhere(frame)
                return False
            self._open.remove(block)
            return context.around(place) is None
        self._open.remove(block)
        if isinstance(frame, GeneratorFrame):
            frame.over = True
            frame.stepped.end(frame)
            if COLLECTS_ANYWHERE and isinstance(error, GeneratorExit):  # the frame is passed over, and goes with the next block
                return context.around(frame) is None
        is_here, is_outermost = block.stay.leave()
        if not is_here and type(frame) is context.Frame and not isinstance(error, GeneratorExit):
            _say_left_elsewhere(frame)
        return is_outermost

    def _ending(self) -> Block | None:
        """Return the block that is being left: the latest of the same `with`, else the latest that is open here, else the latest."""
        if len(self._open) <= 1:
            return next(iter(self._open), None)
        blocks = self._open[::-1]
        place = id(block_statement(sys._getframe(2)))  # noqa: SLF001  (as above)
        same = (block for block in blocks if block.stay is not None and block.place == place)
        here = (block for block in blocks if context.is_here(block.frame))
        return next(same, None) or next(here, None) or blocks[0]


def _say_left_elsewhere(frame: context.Frame) -> None:
    guard.notices.say(
        "block left elsewhere",
        "The block of trace %s was left in another context than it was entered in, as happens in a synchronous dependency with "
        "`yield`: what was called in between may not have found it. Make that `async`, or open the block where the calls are.",
        frame.trace.id,
    )
