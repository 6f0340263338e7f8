"""Looks into objects without running any of their code: no attribute access, no `__class__`, no property, no `__getattr__`.

What a type is and what an instance holds is read through the descriptors of `type` and `object`, which a class can't override.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Descriptor = GetSetDescriptorType | MemberDescriptorType

_mro = type.__dict__["__mro__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_name = type.__dict__["__name__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_module = type.__dict__["__module__"].__get__
_flags = type.__dict__["__flags__"].__get__

_HEAP_TYPE = 1 << 9
"""Set for classes made by a `class` statement: their module stands in their namespace, where it may be anything."""

MAX_FIELDS = 1_000


def mro(kind: type) -> tuple[type, ...]:
    """Return the type and its bases, nearest first."""
    found: tuple[type, ...] = _mro(kind)
    return found


def namespace(kind: type) -> Mapping[str, Any]:
    """Return what the class itself defines."""
    found: Mapping[str, Any] = _namespace(kind)
    return found


def module_of(kind: type) -> str:
    """Return the name of the module that defines the type; empty if it does not say."""
    found = _namespace(kind).get("__module__") if _flags(kind) & _HEAP_TYPE else _module(kind)
    return found if type(found) is str else ""


def name_of(kind: type) -> str:
    """Return the type's name with its module, short: `shop.orders.Order`, and `dict` for what is built in."""
    module = module_of(kind)
    name: str = _qualname(kind)[:120].replace("<locals>.", "")
    return name if module in {"", "builtins", "__main__"} else f"{module[:80]}.{name}"


def short_name(kind: type) -> str:
    """Return the type's bare name."""
    name: str = _name(kind)
    return name


def defines(kind: type, names: frozenset[str]) -> bool:
    """Tell whether the type or one of its bases defines one of the names."""
    return any(not names.isdisjoint(_namespace(each)) for each in _mro(kind))


def class_value(kind: type, name: str) -> object:
    """Return what the nearest class defines under the name, as it stands there; None without."""
    for each in _mro(kind):
        if name in _namespace(each):
            return _namespace(each)[name]
    return None


class PerType(Generic[T]):
    """Remembers what `make` says of a type, for the latest few hundred types."""

    def __init__(self, make: Callable[[type], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[type, T]] = {}

    def __call__(self, kind: type) -> T:
        known = self._known.get(id(kind))  # by its id: a metaclass may define what hashing a class does
        if known is not None:
            return known[1]
        if len(self._known) >= _MAX_TYPES:
            self._known = {}
        made = self._make(kind)
        self._known[id(kind)] = kind, made  # holds the type, so that no other gets its id
        return made


_MAX_TYPES = 500


def _find_dict(kind: type) -> Descriptor | None:
    for each in _mro(kind):
        slot = _namespace(each).get("__dict__")
        if type(slot) is GetSetDescriptorType or type(slot) is MemberDescriptorType:
            return slot
    return None


def _find_slots(kind: type) -> list[tuple[str, Descriptor]]:
    found: dict[str, Descriptor] = {}
    for each in reversed(_mro(kind)):
        if "__slots__" in _namespace(each):  # else the members are those of a type written in C, and its affair
            found.update({n: slot for n, slot in list(_namespace(each).items()) if type(slot) is MemberDescriptorType and n[:2] != "__"})
    return list(found.items())


_dict_of = PerType(_find_dict)
_slots_of = PerType(_find_slots)


def instance_dict(value: object) -> dict[str, object] | None:
    """Return the very `__dict__` of the instance, if it has a true one."""
    descriptor = _dict_of(type(value))
    found = None if descriptor is None else descriptor.__get__(value)
    return found if type(found) is dict else None


def fields(value: object) -> dict[str, object]:
    """Return the instance's attributes, the first thousand: those in its `__slots__`, then those in its `__dict__`."""
    found: dict[str, object] = {}
    for name, slot in _slots_of(type(value)):
        try:
            found[name] = slot.__get__(value)
        except AttributeError:  # noqa: PERF203 - a slot that was not set yet
            continue
    held = instance_dict(value)
    if held:
        found.update([(name, each) for name, each in list(islice(held.items(), MAX_FIELDS)) if type(name) is str])
    return found
