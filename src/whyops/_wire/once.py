"""What is read from an event when it is first asked for, and kept."""

from __future__ import annotations

import functools
from typing import Any, TypeVar, overload

T = TypeVar("T")


class once(functools.cached_property[T]):  # noqa: N801  (used as the standard library's is)
    """The standard library's `cached_property` without its lock, which before Python 3.12 costs more than most of what is read here."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any] | None = None) -> once[T] | T:
        if instance is None:
            return self
        value = self.func(instance)
        name: Any = self.attrname
        instance.__dict__[name] = value  # found there from now on
        return value
