"""A tool's call that a framework tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._providers.said import Said
from ..._recording.place import Place
from ..._recording.tool import Observer
from ..._recording.tool_call import ToolCallWriter
from ..._wire import line
from ..._wire.exceptions import NOT_CAPTURED
from .mcp import ServerCall


class Began(NamedTuple):
    """When a call began whose arguments are told later: its span's id, the times as `EventClock.stamp` says them, and the steady clock's.

    `is_late` tells that only its end is known, and so `started_ns` has to be worked out.
    """

    span_id: str
    times: tuple[str, str]
    started_ns: int
    is_late: bool = False


class ToolRun:
    """A tool's call that has begun: its request is recorded.

    `observers` are what `@whyops.tool` has put around the tool's functions. They say what is not to be recorded, and their own record of
    this call is left out.
    """

    __slots__ = ("_asked_server", "_name", "_observers", "_unclaimed", "call", "tool_call_id")

    def __init__(
        self,
        place: Place,
        name: str,
        arguments: Mapping[str, Any],
        observers: Sequence[Observer] = (),
        tool_call_id: object = None,
        began: Began | None = None,
    ) -> None:
        self._name = name
        self.tool_call_id = tool_call_id
        self._observers = self._unclaimed = observers
        self._asked_server = False
        shown = _shown(arguments, observers) if observers else arguments
        labels = {**place.labels, "tool_call_id": tool_call_id} if tool_call_id else place.labels
        hides_text = bool(observers) and any(observer.hides_text for observer in observers)
        self.call = ToolCallWriter(place.trace, name, place.trace.encode_arguments(shown), place.parent_id, labels, hides_text)
        if began is None:
            self.call.begin()
        else:
            self.call.span_id = began.span_id
            self.call.begin_at(began.times, began.started_ns)

    def claims(self, observer: object) -> bool:
        """Tell whether the call that `observer` sees is this one: the first one of the tool's function, which may go on to call itself.

        So is the first call of an MCP server's tool of the same name: an adapter may put the server's name before it.
        """
        if isinstance(observer, ServerCall):
            is_own = not self._asked_server and (self._name == observer.name or self._name.endswith(f"_{observer.name}"))
            self._asked_server = self._asked_server or is_own
            return is_own
        if not any(observer is own for own in self._unclaimed):
            return False
        self._unclaimed = ()
        return True

    def is_said(self, said: Said) -> None:
        """Take note of the message that tells a model of the result which was recorded."""
        self.call.trace.prompts().remember_named(line.response_key(self.call.span_id), said, self._name)

    def succeed(self, result: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record what the tool gave."""
        is_captured = all(observer.captures_result for observer in self._observers)
        self.call.succeed(result if is_captured else NOT_CAPTURED, metadata)

    def report(self, failure: object, metadata: Mapping[str, Any] | None = None) -> None:
        """Record a failure that the tool tells without raising."""
        self.call.succeed({"error": NOT_CAPTURED if self.call.hides_text else failure}, metadata)

    def fail(self, error: BaseException) -> None:
        """Record the exception that the tool raised."""
        self.call.fail(error, expected=tuple(kind for observer in self._observers for kind in observer.expected))


def _shown(arguments: Mapping[str, Any], observers: Sequence[Observer]) -> Mapping[str, Any]:
    """Return those arguments that are to be recorded."""
    ignored = {name for observer in observers for name in observer.ignored}
    shown = {name: value for name, value in arguments.items() if name not in ignored}
    return shown if all(observer.captures_arguments for observer in observers) else dict.fromkeys(shown, NOT_CAPTURED)
