"""Which fields a class declares: a dataclass's, attrs' or pydantic's, told without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import MemberDescriptorType
from typing import Any, cast

from .instance_fields import MAX_FIELDS, class_value, fields, module_of, mro


class Hidden:
    """Stands for a value that its own class keeps out of sight."""


HIDDEN = Hidden()


class Declaration:
    """The fields of a class: their names in order, None for all that the instance has, and which of them are not for show."""

    __slots__ = ("_extra", "_hidden", "_names")

    def __init__(self, names: tuple[str, ...] | None, described: Mapping[str, object], extra: object = None) -> None:
        self._names = names
        self._hidden = frozenset(name for name, field in described.items() if _is_hidden(field))
        self._extra = extra if type(extra) is MemberDescriptorType else None

    def read(self, value: object) -> dict[str, object]:
        """Return the instance's fields; one that was not set yet is missing, one that is not for show is `HIDDEN`."""
        held = fields(value)
        if self._extra is not None:
            extra = self._extra.__get__(value)
            held.update(list(islice(extra.items(), MAX_FIELDS)) if type(extra) is dict else ())
        if self._names is None:
            shown = {name: each for name, each in held.items() if not name.startswith("__")}
        else:
            shown = {name: held[name] for name in self._names if name in held}
        for name in self._hidden & shown.keys():
            shown[name] = None if shown[name] is None else HIDDEN
        return shown


def declaration(kind: type) -> Declaration | None:
    """Return what the class declares; None if it is none that declares its fields."""
    if class_value(kind, "__pydantic_validator__") is not None or _is_first_pydantic(kind):
        names = ("__pydantic_fields__", "model_fields", "__fields__")  # of pydantic from 2.10, before, and 1
        found = (class_value(kind, name) for name in names)
        return Declaration(None, _named(next((each for each in found if type(each) is dict), {})), class_value(kind, "__pydantic_extra__"))
    described = class_value(kind, "__dataclass_fields__")
    if type(described) is dict:
        return Declaration(tuple(_named(described)), _named(described))
    attributes = class_value(kind, "__attrs_attrs__")
    if issubclass(type(attributes), tuple):
        described = {fields(each).get("name"): each for each in cast("tuple[object, ...]", attributes)}
        return Declaration(tuple(_named(described)), _named(described))
    return None


def _is_first_pydantic(kind: type) -> bool:
    return type(class_value(kind, "__fields__")) is dict and any(module_of(each).startswith("pydantic") for each in mro(kind))


def _named(described: dict[Any, object]) -> dict[str, object]:
    return {name: field for name, field in described.items() if type(name) is str}


def _is_hidden(field: object) -> bool:
    """Tell whether a field is left out of the repr, or of what is exported."""
    info = fields(field)
    if "field_info" in info:  # pydantic 1
        info = fields(info["field_info"])
    return info.get("repr") is False or info.get("exclude") is True
