"""An exception → the content of an `error` event, and a mark on it so that it is recorded once on its way out."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_MARK = "_whyops_recorded_in"
_MAX_STACK_ENTRIES = 50

control_flow: list[Callable[[BaseException], bool]] = []
"""Rules of integrations: an exception that one of them is true for steers a framework's run (an interrupt, say), and is no error."""


def is_error(error: BaseException) -> bool:
    """Tell whether the exception says that something went wrong: cancellation, Ctrl-C and a framework's control flow do not."""
    return isinstance(error, Exception) and not any(rule(error) for rule in control_flow)


def describe(error: BaseException) -> dict[str, Any]:
    """Return message, type and stack. Our own wrappers at the top of the stack are left out."""
    return {"message": message_of(error), "type": type_of(error), "stack": _stack(error)}


def type_of(error: BaseException) -> str:
    """Return the exception's class name, with its module unless that is `builtins`."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    """Return the exception's text; one whose `__str__` fails is described by the traceback module."""
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    head, colon, message = text.partition(": ")
    return message if colon and head.endswith(type(error).__name__) else text


def summary_of(error: BaseException) -> str:
    """Return type and text in one line, as a failed tool's result shows it."""
    message, kind = message_of(error), type(error).__name__
    return kind if message.endswith(kind) else f"{kind}: {message}"


def is_marked(error: BaseException, trace_id: str) -> bool:
    """Tell whether the exception, or each of those that a group holds, was recorded in this trace before."""
    if error.__dict__.get(_MARK) == trace_id:
        return True
    inner = getattr(error, "exceptions", ())
    return isinstance(inner, tuple) and bool(inner) and all(isinstance(one, BaseException) and is_marked(one, trace_id) for one in inner)


def mark(error: BaseException, trace_id: str) -> None:
    """Note on the exception itself that it was recorded: it can't be weakly referenced, and holding it would keep its frames alive."""
    error.__dict__[_MARK] = trace_id


def _stack(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_ours(trace):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace, limit=-_MAX_STACK_ENTRIES))


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_PACKAGE)
