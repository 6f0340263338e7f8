"""The fields of objects, read without running any of their code: no attribute access, no `__class__`, no property, no `__getattr__`.

Types and the attributes of instances are read through the descriptors of `type` and `object`, which a class can't override. The
declared fields are known for dataclasses, attrs and pydantic, without importing any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
Descriptor = GetSetDescriptorType | MemberDescriptorType

mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
"""Return the type and its bases, nearest first."""

namespace: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
"""Return what the class itself defines."""

short_name: Callable[[type], str] = type.__dict__["__name__"].__get__
"""Return the type's bare name."""

_qualname = type.__dict__["__qualname__"].__get__
_module = type.__dict__["__module__"].__get__
_flags = type.__dict__["__flags__"].__get__

_HEAP_TYPE = 1 << 9
"""Set for classes made by a `class` statement: their module stands in their namespace, where it may be anything."""

MAX_FIELDS = 1_000
_TEXT = frozenset({str})


def module_of(kind: type) -> str:
    """Return the name of the module that defines the type; empty if the type has none."""
    found = namespace(kind).get("__module__") if _flags(kind) & _HEAP_TYPE else _module(kind)
    return found if type(found) is str else ""


def package_of(kind: type) -> str:
    """Return the name of the package that defines the type: the first part of its module's."""
    return module_of(kind).partition(".")[0]


def name_of(kind: type) -> str:
    """Return the type's name with its module, short: `shop.orders.Order`, and `dict` for what is built in."""
    module = module_of(kind)
    name: str = _qualname(kind)[:120].replace("<locals>.", "")
    return name if module in {"", "builtins", "__main__"} else f"{module[:80]}.{name}"


def defines(kind: type, names: frozenset[str]) -> bool:
    """Tell whether the type or one of its bases defines one of the names."""
    return any(not names.isdisjoint(namespace(each)) for each in mro(kind))


def class_value(kind: type, name: str) -> object:
    """Return what the nearest class defines under the name, as it stands there; None without."""
    return next((namespace(each)[name] for each in mro(kind) if name in namespace(each)), None)


class PerType(Generic[T]):
    """Remembers what `make` returned for a type, for the latest few hundred types."""

    def __init__(self, make: Callable[[type], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[type, T]] = {}

    def __call__(self, kind: type) -> T:
        known = self._known.get(id(kind))  # by its id: a metaclass may define what hashing a class does
        if known is None:
            if len(self._known) >= 500:
                self._known = {}
            known = self._known[id(kind)] = kind, self._make(kind)  # holds the type, so that no other gets its id
        return known[1]


def _find_dict(kind: type) -> Descriptor | None:
    slots = (namespace(each).get("__dict__") for each in mro(kind))
    return next((slot for slot in slots if type(slot) is GetSetDescriptorType or type(slot) is MemberDescriptorType), None)


def _find_slots(kind: type) -> dict[str, Descriptor]:
    # without `__slots__` the members are those of a type written in C, and its affair
    own = chain.from_iterable(list(space.items()) for space in map(namespace, reversed(mro(kind))) if "__slots__" in space)
    return {name: slot for name, slot in own if type(slot) is MemberDescriptorType and name[:2] != "__"}


_dict_of = PerType(_find_dict)
_slots_of = PerType(_find_slots)


def instance_dict(value: object) -> dict[str, object] | None:
    """Return the `__dict__` of the instance itself, not a copy, if it has a real one."""
    descriptor = _dict_of(type(value))
    found = None if descriptor is None else descriptor.__get__(value)
    return found if type(found) is dict else None


def fields(value: object) -> dict[str, object]:
    """Return the instance's attributes, the first thousand: those in its `__slots__`, then those in its `__dict__`."""
    found: dict[str, object] = {}
    for name, slot in _slots_of(type(value)).items():
        try:
            found[name] = slot.__get__(value)
        except AttributeError:  # noqa: PERF203  (a slot that was not set yet)
            continue
    held = (instance_dict(value) or {}).copy()
    if len(held) > MAX_FIELDS or not _TEXT.issuperset(map(type, held)):
        held = {name: each for name, each in islice(held.items(), MAX_FIELDS) if type(name) is str}
    found.update(held)
    return found


class Hidden:
    """Stands for a value that its own class hides."""


HIDDEN = Hidden()


class DeclaredFields:
    """The fields that a class declares: their names in order (None: all that the instance has), and which of them are hidden."""

    __slots__ = ("_extra", "_hidden", "_names")

    def __init__(self, described: Mapping[Any, object], *, in_order: bool = True, extra: object = None) -> None:
        named = [(name, field) for name, field in described.items() if type(name) is str]
        self._names = [name for name, _ in named] if in_order else None
        self._hidden = [name for name, field in named if _is_hidden(field)]
        self._extra = extra if type(extra) is MemberDescriptorType else None

    def read(self, value: object, _room: int = 0) -> dict[str, object]:
        """Return the instance's fields; one that was not set yet is missing, a hidden one is `HIDDEN`."""
        held = fields(value)
        if self._extra is not None:
            extra = self._extra.__get__(value)
            held.update(list(islice(extra.items(), MAX_FIELDS)) if type(extra) is dict else ())
        names = [name for name in held if not name.startswith("__")] if self._names is None else self._names
        shown = {name: held[name] for name in names if name in held}
        shown.update({name: HIDDEN for name in self._hidden if shown.get(name) is not None})
        return shown


def declared_fields(kind: type) -> DeclaredFields | None:
    """Return the fields that the class declares; None if it is of no kind that declares fields."""
    is_first = type(class_value(kind, "__fields__")) is dict and any(module_of(each).startswith("pydantic") for each in mro(kind))
    if is_first or class_value(kind, "__pydantic_validator__") is not None:
        names = ("__pydantic_fields__", "model_fields", "__fields__")  # of pydantic from 2.10, before, and 1
        found = (class_value(kind, name) for name in names)
        return DeclaredFields(
            next((each for each in found if type(each) is dict), {}), in_order=False, extra=class_value(kind, "__pydantic_extra__")
        )
    described = class_value(kind, "__dataclass_fields__")
    if type(described) is dict:
        return DeclaredFields(described)
    attributes = class_value(kind, "__attrs_attrs__")
    if issubclass(type(attributes), tuple):
        return DeclaredFields({fields(each).get("name"): each for each in cast("tuple[object, ...]", attributes)})
    return None


def _is_hidden(field: object) -> bool:
    """Tell whether a field is left out of the repr, or of what is exported."""
    info = fields(field)
    if "field_info" in info:  # pydantic 1
        info = fields(info["field_info"])
    return info.get("repr") is False or info.get("exclude") is True
