"""Looks into objects without running any of their code: no attribute access, no `__class__`, no property, no `__getattr__`.

What a type is and what an instance holds is read through the descriptors of `type` and `object`, which a class can't override.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

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


def instance_dict(value: object) -> dict[str, object] | None:
    """Return the very `__dict__` of the instance, if it has a true one."""
    for each in _mro(type(value)):
        slot = _namespace(each).get("__dict__")
        if type(slot) is GetSetDescriptorType or type(slot) is MemberDescriptorType:
            found = slot.__get__(value)
            return found if type(found) is dict else None
    return None


def slots(value: object) -> dict[str, object]:
    """Return what stands in the instance's `__slots__`."""
    found: dict[str, object] = {}
    for each in reversed(_mro(type(value))):
        if "__slots__" not in _namespace(each):  # the members of a type written in C are its affair
            continue
        for name, slot in list(_namespace(each).items()):
            if type(slot) is MemberDescriptorType and not name.startswith("__"):
                try:
                    found[name] = slot.__get__(value)
                except AttributeError:
                    continue
    return found


def fields(value: object) -> dict[str, object]:
    """Return the instance's attributes, the first thousand: slots, then those in its `__dict__`."""
    found = slots(value)
    held = instance_dict(value)
    if held:
        found.update(list(islice(held.items(), MAX_FIELDS)))
    return {name: each for name, each in found.items() if type(name) is str}
