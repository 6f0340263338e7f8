"""What a provider's object or dict holds, by name: dicts of the wire, pydantic and other classes, whatever the package's version."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from .._encoding.class_fields import declared_fields, instance_dict, short_name

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
_NOT_GIVEN = frozenset({"NotGiven", "Omit"})
_DEEPEST = 24


def at(value: object, *names: str) -> Any:
    """Return what a dict or an object holds under the first of the names that it has; None without."""
    held = held_in(value)
    for name in names:
        if (found := held.get(name)) is not None:
            return found
    if held is value or value is None or hasattr(type(value), "__pydantic_validator__"):
        return None
    return next((found for name in names if (found := getattr(value, name, None)) is not None), None)


def held_in(value: object) -> Mapping[str, Any]:
    """Return what a dict or an object holds, as it is: this is what is asked of each chunk of a stream."""
    if type(value) is dict:
        return value
    if hasattr(type(value), "__pydantic_validator__"):
        extra: Mapping[str, Any] | None = getattr(value, "__pydantic_extra__", None)
        return {**value.__dict__, **extra} if extra else value.__dict__
    if isinstance(value, Mapping):
        return value
    held = getattr(value, "__dict__", None)
    return held if type(held) is dict else {}


def listed(value: object, *names: str) -> list[Any]:
    """Return the elements of the list that is held under one of the names; none where there is no list."""
    found = at(value, *names)
    return list(found) if isinstance(found, (list, tuple)) else []


def plain(value: object, depth: int = 0) -> Any:
    """Return a value as dicts, lists, texts and numbers, objects without what is None in them; what is none of these stays as it is."""
    kind = type(value)
    if kind in _PLAIN or depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {name: plain(each, depth + 1) for name, each in value.items() if not is_left_out(each)}
    if isinstance(value, (list, tuple)):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, type):
        return value.__name__
    held = held_by(value)
    return value if held is None else {name: plain(each, depth + 1) for name, each in held.items() if each is not None}


def held_by(value: object) -> Mapping[str, Any] | None:
    """Return the fields of an object of a class that declares them, those that it does not declare included; None for all else."""
    if isinstance(value, Mapping):
        return value
    declared = declared_fields(type(value))
    if declared is None or instance_dict(value) is None:
        return None
    return {name: each for name, each in declared.read(value).items() if not name.startswith("_")}


def is_left_out(value: object) -> bool:
    """Tell whether a value stands for an argument that was not given."""
    return short_name(type(value)) in _NOT_GIVEN
