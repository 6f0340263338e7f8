"""What `@tool` knows of a function before it is called: its name, and how a call's arguments get their names."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, MethodType
from typing import Any

from .._encoding.injected import is_injected
from ..errors import ConfigurationError
from .parameters import annotations_of, parameters_of

_RECEIVERS = frozenset({"self", "cls", "mcs"})

hidden_parameters: list[Callable[[inspect.Parameter], bool]] = [is_injected]
"""Rules, those of integrations too: a parameter that one of them is true for is injected by a framework, and no argument of the call."""


class Arguments:
    """Names a call's arguments without binding a signature each time: what can be known is worked out once, here.

    It doesn't keep the function, which whoever calls it has. `takes_keywords` is what the function calls its `**kwargs`, if it has any.
    """

    __slots__ = (
        "_defaults",
        "_function",
        "_keywords",
        "_left_out",
        "_names",
        "_parameters",
        "_rest",
        "_skips_receiver",
        "ignored",
        "name",
        "takes_keywords",
    )

    def __init__(self, function: Callable[..., Any], name: str | None, ignore: Iterable[str] = ()) -> None:
        self.name = name or _function_name(function)
        self.ignored: frozenset[str] = frozenset(ignore)
        parameters = parameters_of(function)
        _check_ignored(self.ignored, parameters, self.name)
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self._skips_receiver = bool(positional) and positional[0].name in _RECEIVERS
        if self._skips_receiver:
            parameters = [p for p in parameters if p is not positional[0]]
            positional = positional[1:]
        self._names = tuple(p.name for p in positional)
        self._rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.takes_keywords: str | None = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self._defaults = tuple((p.name, p.default) for p in named if p.default is not p.empty)
        self._keywords = frozenset(p.name for p in named if p.kind is not p.POSITIONAL_ONLY)
        self._parameters = parameters
        self._function = _weakly(function)
        self._left_out: tuple[int, frozenset[str]] = (0, self.ignored)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what this is made of: a function that is sent by value takes it along."""
        return Arguments, (self._function(), self.name, self.ignored)

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, with defaults filled in. A wrong call is named as far as it goes: the function refuses it."""
        if self._skips_receiver:
            args = args[1:]
        names = self._names
        bound: dict[str, Any] = {}
        position = 0
        for value in args if len(args) <= len(names) else args[: len(names)]:
            bound[names[position]] = value
            position += 1  # noqa: SIM113  (an `enumerate` costs more than all of the loop)
        if len(args) > len(names):
            bound[self._rest or "*"] = list(args[len(names) :])
        if kwargs:
            if self.takes_keywords is None:
                bound.update(kwargs)
            else:
                self._add_keywords(bound, kwargs, self.takes_keywords)
        for name, default in self._defaults:
            bound.setdefault(name, default)
        rules_asked, left_out = self._left_out
        if rules_asked != len(hidden_parameters):
            left_out = self._ask_rules()
        for name in left_out:
            bound.pop(name, None)
        return bound

    def _ask_rules(self) -> frozenset[str]:
        """Find out what is left out: at the first call and when an integration was loaded since, which may be after the decorator ran.

        How many rules were asked and what they said are put in place together: another thread sees both or neither.
        """
        rules = list(hidden_parameters)
        function = self._function()
        annotations = {} if function is None else annotations_of(function)
        parameters = [p.replace(annotation=annotations.get(p.name, p.empty)) for p in self._parameters]
        left_out = self.ignored | {p.name for p in parameters if any(rule(p) for rule in rules)}
        self._left_out = len(rules), left_out
        return left_out

    def _add_keywords(self, bound: dict[str, Any], kwargs: Mapping[str, Any], rest: str) -> None:
        """Add the keywords of a function that takes any: those without a parameter of their own go under `rest`."""
        bound.update((name, value) for name, value in kwargs.items() if name in self._keywords)
        extra = {name: value for name, value in kwargs.items() if name not in self._keywords and name not in self.ignored}
        if extra:
            bound[rest] = extra


_known: weakref.WeakKeyDictionary[Callable[..., Any], Arguments] = weakref.WeakKeyDictionary()


def arguments_of(function: Callable[..., Any]) -> Arguments:
    """Return what is known of a function that nobody has decorated: worked out once, for as long as the function is there."""
    if not isinstance(function, (FunctionType, MethodType)):  # what another callable is equal to, its own class says
        return Arguments(function, None)
    known = _known.get(function)
    if known is None:
        known = _known[function] = Arguments(function, None)
    return known


def _weakly(function: Callable[..., Any]) -> Callable[[], Callable[..., Any] | None]:
    """Return what gives the function as long as it is there; of a kind that can't be referred to weakly, for ever."""
    try:
        return weakref.ref(function)
    except TypeError:
        return lambda: function


def _check_ignored(ignored: frozenset[str], parameters: list[inspect.Parameter], name: str) -> None:
    """Refuse names that no call can have an argument of."""
    lacking = ignored.difference(p.name for p in parameters)
    if lacking and all(p.kind is not p.VAR_KEYWORD for p in parameters):
        raise ConfigurationError(
            f"ignore of @whyops.tool names {', '.join(map(repr, sorted(lacking)))}, which {name}() has no parameter for; "
            f"it has {', '.join(repr(p.name) for p in parameters) or 'none at all'}."
        )


def _function_name(function: Callable[..., Any]) -> str:
    while not hasattr(function, "__name__") and hasattr(function, "func"):
        function = function.func  # pyright: ignore[reportFunctionMemberAccess]  (asked for in the line above)
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name else type(function).__name__
