"""One tool call from its request to its response: what `@tool`, `tool_span` and the frameworks' handlers all record through.

Who runs the call makes it current, if calls inside are to know their parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quote
from typing import Any

from .._encoding import Encoded
from .._runtime import guard
from .._wire import exceptions, line, withheld
from .._wire.write import interrupted
from .trace_writer import TraceWriter

_ERROR = '"error":'


class ToolCallWriter:
    """A tool call that is being recorded: a request when it begins, one response when it ends, and an error if it raised.

    Ending it twice records nothing twice; beginning it again makes it another call.
    """

    __slots__ = (
        "_arguments",
        "_call",
        "_members",
        "_metadata",
        "_open",
        "_parent_id",
        "_started_ns",
        "_tool",
        "hides_text",
        "span_id",
        "trace",
    )

    def __init__(
        self,
        trace: TraceWriter,
        name: str,
        arguments: Encoded,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        hides_text: bool = False,  # noqa: FBT001, FBT002  (a keyword costs each call of a compiled class more)
    ) -> None:
        """Prepare the call; `begin` records the request. `arguments` is the encoded object of arguments by name.

        With `hides_text` no text of an error is recorded: an exception's may quote arguments and results alike.
        """
        if not trace.recorder.capture_content:
            name = str(withheld.name(name, trace.recorder.shown))
            metadata = trace.shown_labels(metadata)
        self.span_id: str = trace.recorder.ids.next()
        self.trace: TraceWriter = trace
        self._tool = quote(name)
        self._arguments = arguments
        self._parent_id = parent_id
        self._metadata = dict(metadata) if metadata else None
        self._members: str | None = None
        self.hides_text: bool = hides_text
        self._open = False
        self._started_ns = 0

    def begin(self) -> None:
        """Record the request, and start to measure."""
        try:
            self.begin_unguarded()
        except Exception as error:  # noqa: BLE001  (the boundary "recording", without the call that the decorator adds)
            guard.fault(error, self.trace, events=2)  # the request, and so the response

    def begin_unguarded(self) -> None:
        """Do what `begin` does, for a caller that is guarded itself."""
        trace = self.trace
        recorder = trace.recorder
        if self._started_ns:  # begun once more: another call
            self.span_id = recorder.ids.next()
        arguments, cuts, redactions = self._arguments
        span_id = self.span_id
        self._call = call = line.call_begun(span_id, self._tool, arguments)
        self._members = members = trace.members(span_id, self._parent_id, self._metadata, cuts, redactions)
        if recorder.enabled:
            times = recorder.clock.stamp(trace.moments)
            if trace.opened_us > 0:
                members += trace.opened()
            recorder.record(line.request(trace.head, times, span_id, call, self._tool, members))
        self._open = True
        self._started_ns = recorder.clock.steady_ns()

    @guard.recording
    def begin_at(self, times: tuple[str, str], started_ns: int) -> None:
        """Record the request of a call that began earlier: at `times`, as `EventClock.stamp` says them, and by the steady clock."""
        trace = self.trace
        arguments, cuts, redactions = self._arguments
        self._call = line.call_begun(self.span_id, self._tool, arguments)
        self._members = members = trace.members(self.span_id, self._parent_id, self._metadata, cuts, redactions)
        if trace.recorder.enabled:
            trace.recorder.record(line.request(trace.head, times, self.span_id, self._call, self._tool, members))
        self._open = True
        self._started_ns = started_ns

    def succeed(self, result: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record the response with what the call gave."""
        try:
            if (elapsed := self._close(metadata)) is not None:
                self._respond(self._results(result), elapsed)
        except Exception as error:  # noqa: BLE001  (the boundary "recording", without the call that the decorator adds)
            guard.fault(error, self.trace)

    @guard.recording
    def succeed_encoded(self, results: Encoded, metadata: Mapping[str, Any] | None = None) -> None:
        """Record the response with results that are a JSON object already."""
        if (elapsed := self._close(metadata)) is not None:
            self._respond(_with_failure(results), elapsed)

    @guard.recording
    def fail(self, error: BaseException, metadata: Mapping[str, Any] | None = None, expected: tuple[type[BaseException], ...] = ()) -> None:
        """Record the exception, unless it was recorded further in, and the response that closes the call.

        An exception that is no error (cancelled, Ctrl-C, a framework's interrupt) closes the call as interrupted. One that is `expected`,
        because the tool steers its caller with it, is the call's result, and no error further out either.
        """
        is_expected = isinstance(error, expected)
        if not is_expected and not exceptions.is_error(error):
            self.interrupt(type(error).__name__, metadata)
            return
        if (elapsed := self._close(metadata)) is None:
            return
        if self.hides_text:
            exceptions.keep_text_back(error)
        if is_expected:
            exceptions.mark(error, self.trace.id)
        else:
            self.trace.record_exception(
                error, span_id=self.span_id, parent_id=self._parent_id, hides_text=self.hides_text, metadata=self._metadata
            )
        recorder = self.trace.recorder
        summary = exceptions.summary_of(error, tells_text=recorder.capture_content)
        self._respond(_with_failure(recorder.encode({"raised" if is_expected else "error": summary})), elapsed)

    @guard.recording
    def interrupt(self, reason: str, metadata: Mapping[str, Any] | None = None) -> None:
        """Record that the call was stopped from outside before it came to a result, which is no failure of its own."""
        if (elapsed := self._close({**(metadata or {}), **interrupted(reason)})) is not None:
            self._respond(self.trace.recorder.encode(interrupted(reason)), elapsed)

    def _close(self, metadata: Mapping[str, Any] | None) -> int | None:
        """Return how long the call took, in nanoseconds; None if it is closed already."""
        elapsed_ns = self.trace.recorder.clock.steady_ns() - self._started_ns
        if not self._open:
            return None
        self._open = False
        if metadata:
            told = self._metadata or {}
            more = self.trace.shown_labels(metadata) or {}
            if any(name not in told or not _is_same(told[name], value) for name, value in more.items()):
                self._metadata = {**told, **more}
                self._members = None
        return elapsed_ns

    def _results(self, result: object) -> Encoded:
        """Encode what the call gave as the object that a response holds."""
        recorder = self.trace.recorder
        if recorder.capture_content and not issubclass(type(result), dict):
            encoded, cuts, redactions = recorder.encode(result)
            return f'{{"result":{encoded}}}', cuts, redactions
        results = recorder.encode(result if recorder.capture_content else withheld.results(result, recorder.shown))
        return _with_failure(results) if _ERROR in results[0] else results

    def _respond(self, results: Encoded, elapsed_ns: int) -> None:
        trace = self.trace
        encoded, cuts, redactions = results
        members = self._members
        if cuts or redactions or members is None:
            _, more_cuts, more_redactions = self._arguments
            members = trace.members(self.span_id, self._parent_id, self._metadata, cuts + more_cuts, redactions + more_redactions)
        if trace.recorder.enabled:
            took = elapsed_ns // 1_000 if elapsed_ns > 0 else 0
            times = trace.recorder.clock.stamp(trace.moments)
            trace.recorder.record(line.response(trace.head, times, self.span_id, self._call, encoded, self._tool, took, members))


def _is_same(told: object, value: object) -> bool:
    return told is value or (type(told) is str and type(value) is str and told == value)


def _with_failure(results: Encoded) -> Encoded:
    """Return the results of a call, which may say what went wrong, with that beside them; a result that is no dict can't."""
    encoded, cuts, redactions = results
    return (line.failed(encoded), cuts, redactions) if _ERROR in encoded else results
