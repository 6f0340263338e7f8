"""What `@tool` returns for a callable that is no plain function: only calls are recorded, and all else is the callable's own.

So the `cache_clear` of a function with a cache and the `delay` of a Celery task are there, `isinstance` says the same, and as a class
attribute it binds to an instance just if the callable itself would.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

from .._encoding.class_fields import PerType, mro, namespace
from .._runtime.safely import safely_or

OBSERVER = "__whyops_observer__"
"""Where a decorated callable keeps what records its calls."""

_OWN = frozenset({OBSERVER, "__call__", "__copy__", "__deepcopy__", "__get__", "__reduce_ex__", "__wrapped__", "_again", "_decorate"})
_COMPARED_AND_SHOWN = frozenset(
    {"__eq__", "__format__", "__ge__", "__gt__", "__hash__", "__le__", "__lt__", "__ne__", "__repr__", "__str__"}
)
_NOT_PASSED_ON = (frozenset(dir(object)) - _COMPARED_AND_SHOWN) | _OWN | {"__del__", "__getattr__"}
"""What an object is asked for by its name, which leads to the callable in any case; and what is not for a wrapper to do."""


class CallableWrapper:
    """Takes the place of `function`. `call` is called instead; `decorate` makes a wrapper for another callable like it."""

    __slots__ = (OBSERVER, "__call__", "__weakref__", "__wrapped__", "_decorate")

    def __init__(self, function: Any, call: Callable[..., Any], observer: object, decorate: Callable[[Any], Any]) -> None:
        for name, value in (("__wrapped__", function), ("__call__", call), (OBSERVER, observer), ("_decorate", decorate)):
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "__wrapped__"), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __copy__(self) -> Any:
        import copy  # noqa: PLC0415  (whoever calls this has it)

        return self._again(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: Any) -> Any:
        import copy  # noqa: PLC0415  (as above)

        return self._again(copy.deepcopy(self.__wrapped__, memo))

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Pickle as a function does that is found under its name; else with the callable itself."""
        name, module = getattr(self, "__qualname__", None), sys.modules.get(str(getattr(self, "__module__", None)))
        if isinstance(name, str) and safely_or(operator.attrgetter(name), module, None) is self:
            return name
        return self._decorate, (self.__wrapped__,)

    def _again(self, function: Any) -> Any:
        return self if function is self.__wrapped__ else self._decorate(function)


def _make_class(kind: type) -> type[CallableWrapper]:
    """Make the class for wrappers of a type: what Python asks a type for, such as operators, is passed on to the object."""
    defined = {name: value for each in reversed(mro(kind)) for name, value in namespace(each).items()}
    special = {name for name, value in defined.items() if name[:2] == "__" == name[-2:] and callable(value)} - _NOT_PASSED_ON
    binding = {"__get__": _bind} if "__get__" in defined else {}
    return type(kind.__name__, (CallableWrapper,), {"__slots__": (), **{name: _passed_on(name) for name in special}, **binding})


wrapper_class = PerType(_make_class)
"""The class whose objects take the place of callables of a type."""


def _passed_on(name: str) -> Callable[..., Any]:
    def method(self: CallableWrapper, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__wrapped__, name)(*args, **kwargs)

    return method


def _bind(self: Any, instance: object, owner: type | None = None) -> Any:
    """Bind as the callable does: as a method, or to whatever it makes of itself for an instance."""
    function = self.__wrapped__
    bound = type(function).__get__(function, instance, owner)
    if type(bound) is MethodType and bound.__func__ is function:
        return MethodType(self, bound.__self__)
    return self._again(bound)
