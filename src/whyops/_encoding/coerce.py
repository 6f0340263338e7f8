"""Reads what callers pass without running the code of their own classes: methods that these override are not called.

What is neither a plain type nor a subclass of one is left to the encoder, which knows how to show it.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import Any, cast

from .._runtime.safely import Failed, safely
from .bounded_copy import storable
from .class_fields import module_of, name_of

_SPELLED_OUT = frozenset({"decimal", "fractions", "pathlib", "pathlib._local", "uuid"})
"""Modules of the standard library whose objects have a text that names them."""


def text_in(value: object) -> str | None:
    """Return the text of a string, of whatever class it is; None for all else."""
    if type(value) is str:
        return value
    return str.__str__(cast("str", value)) if issubclass(type(value), str) else None


def spelled(value: object) -> str:
    """Return a name's text, as it can be stored: an enum's is that of its value, a plain object's is its type. Empty for None."""
    if type(value) is str:
        return storable(value)
    text = named(value)
    return f"<{name_of(type(_enum_value(value)))}>" if text is None else text


def named(value: object) -> str | None:
    """Return the text that names a value, as it can be stored, and empty for None; None for what has none, as a list or a plain object."""
    if type(value) is str:
        return storable(value)
    value = _enum_value(value)
    kind = type(value)
    text: str | Failed[object] | None = text_in(value)
    if value is None:
        return ""
    if kind is int or kind is float or kind is bool or module_of(kind) in _SPELLED_OUT:
        text = safely(str, value)
    return None if text is None or isinstance(text, Failed) else storable(text)


def _enum_value(value: object) -> object:
    """Return the value of an enum's member; all else as it is."""
    is_choice = issubclass(type(value), Enum) and not issubclass(type(value), str)
    return _enum_value(object.__getattribute__(value, "_value_")) if is_choice else value


def members(value: object) -> dict[Any, Any] | None:
    """Return the content of a dict, of whatever class it is; None for all else."""
    kind = type(value)
    if issubclass(kind, dict):
        return value if kind is dict else dict(dict.items(value))  # type: ignore[return-value,arg-type]  # told by its type
    return dict(value) if kind is MappingProxyType else None  # type: ignore[call-overload]  # told by its type


def elements(value: object) -> list[Any] | None:
    """Return the content of a list or tuple, of whatever class it is; None for all else."""
    kind = type(value)
    if issubclass(kind, list):
        return list(list.__iter__(value))  # type: ignore[arg-type]  # told by its type
    return list(tuple.__iter__(value)) if issubclass(kind, tuple) else None  # type: ignore[arg-type]  # told by its type


def listed(value: object) -> list[Any]:
    """Return the elements of a list or tuple; a single value, if it is none; nothing for None."""
    found = elements(value)
    single = [] if value is None else [value]
    return single if found is None else found
