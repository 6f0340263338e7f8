"""The tool calls of a recorded run, each given back once."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from .._render.format import arguments_text
from .._trace.alignment import comparable
from .._trace.recorded import RecordedTrace
from .._trace.steps import ToolCall
from .._wire.exceptions import NOT_CAPTURED

_SHOWN = 3


class StoredCalls:
    """Finds calls by name and arguments, in the order in which they were recorded."""

    def __init__(self, trace: RecordedTrace) -> None:
        self.unused: list[ToolCall] = [call for call in trace.calls if len(call.names) == 1]
        self._trace_id = trace.trace_id
        self._lock = threading.Lock()

    def take(self, name: str, arguments: object) -> ToolCall | None:
        """Return the next call of a tool with these arguments, which counts as used then; None if there is none."""
        wanted = comparable(arguments)
        with self._lock:
            for place, call in enumerate(self.unused):
                if call.name == name and (_is_not_captured(call.arguments) or comparable(call.arguments or {}) == wanted):
                    return self.unused.pop(place)
        return None

    def missing(self, name: str, arguments: Mapping[str, object]) -> str:
        """Return what is to be said of a call that there is not, with the nearest ones that there are."""
        others = [call for call in self.unused if call.name == name]
        if not others:
            names = ", ".join(dict.fromkeys(call.name for call in self.unused))
            near = f"Not called again yet: {names}." if names else "All its calls were made again already."
        else:
            near = "; ".join(f"{name}({arguments_text(call.arguments)})" for call in others[:_SHOWN])
            near = f"Not made again yet: {near}{'; …' if len(others) > _SHOWN else ''}."
        return f"The recorded run {self._trace_id} has no call {name}({arguments_text(arguments)}), or none left. {near}"

    def trouble(self, call: ToolCall) -> str:
        """Return why a call's result can't be given back; empty if it can."""
        if not call.is_finished:
            return f"The recorded run ended before {call.name} gave a result."
        response = call.events[-1]
        if call.interrupted:
            return f"{call.name} was interrupted in the recorded run ({call.interrupted})."
        if call.error is not None:
            return ""
        request = call.events[0] if len(call.events) > 1 else None
        cut, redacted = ((getattr(response, mark) - (getattr(request, mark) if request else 0)) for mark in ("truncated", "redacted"))
        if _is_not_captured(response.result):
            return f"The result of {call.name} was not captured (capture_result=False, or capture_content=False)."
        if cut > 0:
            return f"The result of {call.name} was cut when it was recorded (max_value_bytes)."
        if redacted > 0:
            return f"The result of {call.name} was redacted when it was recorded (redact, redact_keys)."
        return ""


def _is_not_captured(value: object) -> bool:
    """Tell whether markers stand in a value's place, or in that of all its members."""
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_not_captured, value.values()))
    return isinstance(value, str) and value.startswith(NOT_CAPTURED.removesuffix("]"))
