"""An exception → the content of an `error` event, and a mark on it so that it is recorded once on its way out."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any

from .._encoding.class_fields import module_of, name_of, short_name
from .._runtime.safely import Failed, safely

_PACKAGE = __file__.rsplit(os.sep, 2)[0] + os.sep
_MARK = "_whyops_recorded_in"
_TRANSLATED_BY = "_whyops_translated_by"
_UNTOLD = "_whyops_text_is_not_recorded"
_MAX_STACK_ENTRIES = 50
_MAX_CHAIN = 8
_MAX_MESSAGE = 1_000_000
_PLAIN = (str, int, float, bool, bytes, type(None))
_PLAIN_STR = frozenset({BaseException.__str__, KeyError.__str__, OSError.__str__, ImportError.__str__, SyntaxError.__str__})
_HTTP_STATUSES = range(100, 600)
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"

NOT_CAPTURED = "[not captured]"
"""Stands where something was that is not to be recorded."""

control_flow: list[tuple[str, str]] = []
"""Exceptions by which frameworks steer a run (an interrupt, say), and which are no errors: the module and the name of each class.

Integrations add to it. None is imported: where its module is not loaded, no such exception can have been raised.
"""


def is_error(error: BaseException) -> bool:
    """Tell whether the exception says that something went wrong: cancellation, Ctrl-C and a framework's control flow do not."""
    kinds = (getattr(sys.modules.get(module), name, None) for module, name in control_flow)
    return isinstance(error, Exception) and not any(isinstance(kind, type) and isinstance(error, kind) for kind in kinds)


def describe(error: BaseException, *, tells_text: bool = True) -> dict[str, Any]:
    """Return message, type and stack. Our own wrappers at the top of the stack are left out.

    Without `tells_text`, and of an exception whose text is kept back, the stack says where it was raised: files, lines and functions,
    and no source, text or note.
    """
    return {"message": message_of(error, tells_text=tells_text), "type": name_of(type(error)), "stack": _stack(error, tells_text)}


def status_of(error: object) -> int | None:
    """Return the status of a server's answer that an exception of an HTTP client's or of a provider's names."""
    if not issubclass(type(error), Exception):
        return None
    held = safely(_told_status, error)
    return None if isinstance(held, Failed) else held


def _told_status(error: Any) -> int | None:
    places = (error, getattr(error, "response", None))
    found = (getattr(place, name, None) for place in places for name in ("status_code", "http_status"))
    return next((status for status in found if type(status) is int and status in _HTTP_STATUSES), None)


def keep_text_back(error: BaseException) -> None:
    """Note on the exception that its text is not to be recorded, wherever it goes from here: it may quote arguments or results."""
    if _UNTOLD not in error.__dict__:  # a class of its own may hold itself
        error.__dict__[_UNTOLD] = True
        for one in _inner(error):
            keep_text_back(one)


def message_of(error: BaseException, *, tells_text: bool = True) -> str:
    """Return the exception's text. Arguments that are objects appear by their type: their `__repr__` is not ours to run."""
    if not tells_text or _UNTOLD in error.__dict__:
        return NOT_CAPTURED
    if type(error).__str__ in _PLAIN_STR and not all(map(_is_plain, error.args)):
        return ", ".join(str(each)[:_MAX_MESSAGE] if _is_plain(each) else f"<{name_of(type(each))}>" for each in error.args)
    text = safely(str, error)
    return "<its __str__ failed>" if isinstance(text, Failed) else text[:_MAX_MESSAGE]


def summary_of(error: BaseException, *, tells_text: bool = True) -> str:
    """Return type and text in one line, as a failed tool's result shows it."""
    message, kind = message_of(error, tells_text=tells_text), short_name(type(error))
    return f"{kind}: {message}" if message else kind


def is_marked(error: BaseException, trace_id: str) -> bool:
    """Tell whether the exception, or each of those that a group holds, was recorded in this trace before."""
    if error.__dict__.get(_MARK) == trace_id:
        return True
    cause = error.__cause__
    if cause is not None and cause.__dict__.get(_MARK) == trace_id and cause.__dict__.get(_TRANSLATED_BY, "-") == _package_of(error):
        return True
    inner = _inner(error)
    return bool(inner) and all(is_marked(one, trace_id) for one in inner)


def mark(error: BaseException, trace_id: str) -> None:
    """Note on the exception itself that it was recorded: it can't be weakly referenced, and holding it would keep its frames alive."""
    error.__dict__[_MARK] = trace_id


def let_translate(error: BaseException, package: str) -> None:
    """Note on an exception that what this package raises from it is the same failure, and recorded with it."""
    error.__dict__[_TRANSLATED_BY] = package


def _package_of(error: BaseException) -> str:
    return module_of(type(error)).partition(".")[0]


def _inner(error: BaseException) -> tuple[BaseException, ...]:
    """Return the exceptions that a group holds."""
    inner = getattr(error, "exceptions", ())
    return inner if isinstance(inner, tuple) and all(isinstance(one, BaseException) for one in inner) else ()


def _stack(error: BaseException, tells_text: bool) -> str:  # noqa: FBT001
    """Return the stack as Python prints it, of this exception and of those that led to it.

    What led to one whose text is kept back is part of the same call, or older: its text is kept back as well.
    """
    parts: list[str] = []
    link = ""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(current))
        tells_text = tells_text and _UNTOLD not in current.__dict__
        parts.insert(0, _own_stack(current, tells_text) + link)
        if current.__cause__ is not None:
            link, current = _CAUSED, current.__cause__
        else:
            link, current = _DURING, None if current.__suppress_context__ else current.__context__
    return "".join(parts)


def _own_stack(error: BaseException, tells_text: bool) -> str:  # noqa: FBT001
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next
    message = message_of(error, tells_text=tells_text)
    lines = ["Traceback (most recent call last):\n", *_entries(trace, tells_text)] if trace else []
    lines.append(f"{name_of(type(error))}: {message}\n" if message else f"{name_of(type(error))}\n")
    notes = error.__dict__.get("__notes__")
    if isinstance(notes, list) and tells_text:
        lines += [f"{note[:_MAX_MESSAGE]}\n" for note in notes if type(note) is str]
    lines += [f"  + {summary_of(one, tells_text=tells_text)}\n" for one in _inner(error)]
    return "".join(lines)


def _entries(trace: TracebackType, tells_source: bool) -> list[str]:  # noqa: FBT001
    import traceback  # noqa: PLC0415  (where nothing fails, nothing is to be read off a stack)

    if tells_source:
        return traceback.format_tb(trace, limit=-_MAX_STACK_ENTRIES)
    places = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    return [f'  File "{code.co_filename}", line {line}, in {code.co_name}\n' for code, line in places[-_MAX_STACK_ENTRIES:]]


def _is_plain(argument: object) -> bool:
    kind = type(argument)
    return any(kind is plain for plain in _PLAIN)  # a class may refuse to be hashed
