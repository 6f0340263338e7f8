"""An exception → the content of an `error` event, and a mark on it so that it is recorded once on its way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .attempt import Failed, attempt
from .fields import name_of, short_name

_PACKAGE = __file__.rsplit(os.sep, 2)[0] + os.sep
_MARK = "_whyops_recorded_in"
_MAX_STACK_ENTRIES = 50
_MAX_CHAIN = 8
_MAX_MESSAGE = 1_000_000
_PLAIN = (str, int, float, bool, bytes, type(None))
_PLAIN_STR = frozenset({BaseException.__str__, KeyError.__str__, OSError.__str__, ImportError.__str__, SyntaxError.__str__})
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"

control_flow: list[Callable[[BaseException], bool]] = []
"""Rules of integrations: an exception that one of them is true for steers a framework's run (an interrupt, say), and is no error."""


def is_error(error: BaseException) -> bool:
    """Tell whether the exception says that something went wrong: cancellation, Ctrl-C and a framework's control flow do not."""
    return isinstance(error, Exception) and not any(rule(error) for rule in control_flow)


def describe(error: BaseException) -> dict[str, Any]:
    """Return message, type and stack. Our own wrappers at the top of the stack are left out."""
    return {"message": message_of(error), "type": name_of(type(error)), "stack": _stack(error)}


def message_of(error: BaseException) -> str:
    """Return the exception's text. Arguments that are objects appear by their type: their `__repr__` is not ours to run."""
    if type(error).__str__ in _PLAIN_STR and not all(map(_is_plain, error.args)):
        return ", ".join(_argument(argument) for argument in error.args)
    text = attempt(str, error)
    return "<its __str__ failed>" if isinstance(text, Failed) else text[:_MAX_MESSAGE]


def summary_of(error: BaseException) -> str:
    """Return type and text in one line, as a failed tool's result shows it."""
    message, kind = message_of(error), short_name(type(error))
    return f"{kind}: {message}" if message else kind


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
    """Return the stack as Python prints it, of this exception and of those that led to it."""
    parts: list[str] = []
    link = ""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(current))
        parts.insert(0, _own_stack(current) + link)
        if current.__cause__ is not None:
            link, current = _CAUSED, current.__cause__
        else:
            link, current = _DURING, None if current.__suppress_context__ else current.__context__
    return "".join(parts)


def _own_stack(error: BaseException) -> str:
    import traceback  # noqa: PLC0415  (where nothing fails, nothing is to be read off a stack)

    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_ours(trace):
        trace = trace.tb_next
    message = message_of(error)
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(trace, limit=-_MAX_STACK_ENTRIES)] if trace else []
    lines.append(f"{name_of(type(error))}: {message}\n" if message else f"{name_of(type(error))}\n")
    notes = error.__dict__.get("__notes__")
    if isinstance(notes, list):
        lines += [f"{note[:_MAX_MESSAGE]}\n" for note in notes if type(note) is str]
    inner = getattr(error, "exceptions", None)
    if isinstance(inner, tuple):
        lines += [f"  + {summary_of(one)}\n" for one in inner if isinstance(one, BaseException)]
    return "".join(lines)


def _argument(argument: object) -> str:
    return str(argument)[:_MAX_MESSAGE] if _is_plain(argument) else f"<{name_of(type(argument))}>"


def _is_plain(argument: object) -> bool:
    kind = type(argument)
    return any(kind is plain for plain in _PLAIN)  # a class may refuse to be hashed


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_PACKAGE)
