"""One tool call from its request to its response: what `@tool`, `tool_span` and the frameworks' handlers all record through."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .. import _guard
from ..events import quote
from . import contents, context, exceptions
from .recorder import Encoded
from .usage import MAX_COUNT

if TYPE_CHECKING:
    from typing_extensions import Self

    from .trace import Trace


class ToolSpan:
    """A tool call that is being recorded: a request when it begins, one response when it ends, and an error if it raised.

    As a context manager it is also current while its block runs, so that calls inside know their parent. Set `result` to what the call
    gave; anything that leaves the block as an exception is recorded and goes on. Ending it twice records nothing twice.
    """

    __slots__ = ("_arguments", "_metadata", "_name", "_open", "_parent_id", "_started_ns", "result", "span_id", "trace")

    def __init__(
        self,
        trace: Trace,
        name: str,
        arguments: Encoded,
        span_id: str | None = None,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare the span; `begin` records the request. `arguments` is the encoded object of arguments by name."""
        self.span_id: str = span_id or trace.recorder.ids.next()
        self.result: object = None
        self.trace: Trace = trace
        self._name = quote(name)
        self._arguments = arguments
        self._parent_id = parent_id
        self._metadata = dict(metadata) if metadata else None
        self._open = False
        self._started_ns = 0

    @_guard.recording
    def begin(self) -> None:
        """Record the request, and start to measure."""
        self.begin_unguarded()

    def begin_unguarded(self) -> None:
        """Do what `begin` does, for a caller that is guarded itself."""
        arguments, cuts, redactions = self._arguments
        name = self._name
        content = b'{"toolCalls":[{"name":%b,"arguments":%b}]}' % (name.encode(), arguments)
        self.trace.write("tool_call_request", (content, cuts, redactions), f',"tool":{name}', self.span_id, self._parent_id, self._metadata)
        self._open = True
        self._started_ns = self.trace.recorder.clock.steady_ns()

    @_guard.recording
    def succeed(self, result: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record the response with what the call gave."""
        elapsed = self._elapsed_ns()
        if not self._close(metadata):
            return
        recorder = self.trace.recorder
        if recorder.capture_content:
            encoded = recorder.encode(result)
            if not issubclass(type(result), dict):
                encoded = (b'{"result":%b}' % encoded[0], encoded[1], encoded[2])
        else:
            encoded = recorder.encode(contents.tool_outcome(result, recorder.shown))
        self._respond(encoded, elapsed)

    @_guard.recording
    def succeed_encoded(self, results: Encoded, metadata: Mapping[str, Any] | None = None) -> None:
        """Record the response with results that are a JSON object already."""
        elapsed = self._elapsed_ns()
        if self._close(metadata):
            self._respond(results, elapsed)

    @_guard.recording
    def fail(self, error: BaseException, metadata: Mapping[str, Any] | None = None) -> None:
        """Record the exception, unless it was recorded further in, and the response that closes the call.

        An exception that is no error (cancelled, Ctrl-C, a framework's interrupt) closes the call as interrupted.
        """
        elapsed = self._elapsed_ns()
        if not exceptions.is_error(error):
            self.interrupt(type(error).__name__, metadata)
            return
        if not self._close(metadata):
            return
        recorder = self.trace.recorder
        self.trace.record_exception(error, span_id=self.span_id, parent_id=self._parent_id)
        self._respond(recorder.encode({"error": recorder.shown(exceptions.summary_of(error))}), elapsed)

    @_guard.recording
    def interrupt(self, reason: str, metadata: Mapping[str, Any] | None = None) -> None:
        """Record that the call was stopped from outside before it came to a result, which is no failure of its own."""
        elapsed = self._elapsed_ns()
        if self._close({**(metadata or {}), "interrupted": reason}):
            self._respond(self.trace.recorder.encode({"interrupted": reason}), elapsed)

    def __enter__(self) -> Self:
        self.begin()
        context.enter(self.trace, self.span_id, self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        context.leave(self)
        if error is None:
            self.succeed(self.result)
        else:
            self.fail(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.__exit__(kind, error, stack)

    def _close(self, metadata: Mapping[str, Any] | None) -> bool:
        """Return True the first time only."""
        was_open, self._open = self._open, False
        if was_open and metadata:
            self._metadata = {**(self._metadata or {}), **metadata}
        return was_open

    def _elapsed_ns(self) -> int:
        return self.trace.recorder.clock.steady_ns() - self._started_ns

    def _respond(self, results: Encoded, elapsed_ns: int) -> None:
        arguments, cuts, redactions = self._arguments
        name = self._name
        content = b'{"toolCalls":[{"name":%b,"arguments":%b}],"toolResults":%b}' % (name.encode(), arguments, results[0])
        microseconds = max(elapsed_ns, 0) // 1000
        whole = min((microseconds + 500) // 1000, MAX_COUNT)
        members = f',"tool":{name},"latencyMs":{whole},"durationMs":{microseconds / 1000}'
        encoded = (content, cuts + results[1], redactions + results[2])
        self.trace.write("tool_call_response", encoded, members, self.span_id, self._parent_id, self._metadata)
