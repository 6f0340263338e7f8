"""The block around a tool call that no decorator can wrap."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from .blocks import Blocks
from .tool_call import ToolCall, text_is_hidden_here

if TYPE_CHECKING:
    from typing_extensions import Self

    from .trace import Trace


class ToolSpan:
    """A tool call, recorded around a block. Make it with `trace.tool_span(…)`, and set `result` to what the call gave.

    It is current while its block runs, so that calls inside know their parent. What leaves the block as an exception is recorded, and
    goes on. Entered once more, it is another call.
    """

    __slots__ = ("_blocks", "_call", "result")

    def __init__(self, call: ToolCall) -> None:
        self._blocks = Blocks()
        self._call = call
        self.result: object = None

    @property
    def trace(self) -> Trace:
        """The trace that the call belongs to."""
        return self._call.trace

    @property
    def span_id(self) -> str:
        """The id of the call, under which its request and its response are recorded."""
        return self._call.span_id

    @property
    def hides_text(self) -> bool:
        """Whether no text of an error is recorded, as of a decorated function around it that says so."""
        return self._call.hides_text

    def __enter__(self) -> Self:
        self._call.hides_text = text_is_hidden_here()
        self._call.begin()
        self._blocks.enter(self._call.trace, self._call.span_id, self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._blocks.leave(error)
        if error is None:
            self._call.succeed(self.result)
        else:
            self._call.fail(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.__exit__(kind, error, stack)
