"""A trace's opening → what was asked, as a list of traces says it."""

from __future__ import annotations

from .._printable import counted
from .._wire.asked import asked_in
from .._wire.read import RecordedEvent
from .format import arguments_text, content_text


def asked_text(opening: RecordedEvent, calls: int = 0) -> str:
    """Return what the user said; of a trace in which nobody says anything, the tool call that it began with, of so many.

    Nothing for a trace that began in another way.
    """
    if opening.type == "user_message":
        return content_text(asked_in(opening.messages).content)
    if not calls or not opening.tool_calls or opening.stands_for is not None or opening.type != "tool_call_request":
        return ""
    from .._trace.steps import ToolCall  # noqa: PLC0415  (few traces begin so, and it takes many modules)

    call = ToolCall((opening,))
    others = f" and {counted(calls - 1, 'more call')}" if calls > 1 else ""
    return f"{call.name}({arguments_text(call.arguments)}){others}"
