"""The status of a provider's answer, from the exception that its package raises."""

from __future__ import annotations

from .._encoding.class_fields import module_of, mro
from .._wire import exceptions

_STATUSES = range(400, 600)


def status_of(error: BaseException) -> int | None:
    """Return the status, where the exception knows one. Google's exceptions have it under another name than others."""
    told = exceptions.status_of(error)
    if told is not None or not any(module_of(kind).startswith("google.") for kind in mro(type(error))):
        return told
    code = error.__dict__.get("code")
    return code if type(code) is int and code in _STATUSES else None
