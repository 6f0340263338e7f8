"""What a recorded call gave → the result, or the exception, that its tool would have given."""

from __future__ import annotations

import builtins
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .._encoding.class_fields import short_name
from .._runtime import guard
from .._trace.steps import ToolCall
from .._wire.values import as_mapping, as_text

_PER_ITEM = ("Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator")


@dataclass(frozen=True)
class Given:
    """A result, or the exception that is to be raised. `is_json` says that it is as it was recorded, and no value of the tool's own yet."""

    value: Any = None
    error: BaseException | None = None
    is_json: bool = True
    failed: bool = False
    """The value is the text of a failure that the tool told, and did not raise."""

    def result(self) -> Any:
        """Return the result, or raise the exception."""
        if self.error is not None:
            raise self.error
        return self.value

    def items(self) -> Iterator[Any]:
        """Yield what a generator yielded, and raise the exception behind it."""
        yield from self.value or ()
        if self.error is not None:
            raise self.error

    def as_annotated(self, function: Callable[..., Any], expected: tuple[type[BaseException], ...]) -> Given:
        """Return it as the function would give it: by its return annotation, or as one of the exceptions that it steers its caller by."""
        raised = as_text(as_mapping(self.value).get("raised")) if self.is_json and list(as_mapping(self.value)) == ["raised"] else None
        if raised is not None and expected:
            kind, _, message = raised.partition(": ")
            known = next((each for each in expected if short_name(each) == kind), expected[0])
            return Given(error=_made(known, message))
        if self.error is not None or not self.is_json:
            return self
        return replace(self, value=_as_annotated(self.value, function))


class ReplayedError(Exception):
    """Stands for an exception of a recorded run whose class is not loaded here; its text begins with the class's name."""


def given_back(call: ToolCall) -> Given:
    """Return what a finished call gave."""
    error = next((event for event in call.events if event.type == "error"), None)
    if error is None:
        return Given(call.events[-1].result, failed=call.error is not None)
    name, message = as_text(error.fields.get("type")) or "", as_text(error.fields.get("message")) or ""
    kind = _class_of(name)
    return Given(error=_made(kind, message) if kind is not None else ReplayedError(f"{name}: {message}" if name else message))


def _class_of(name: str) -> type[BaseException] | None:
    """Return the exception's class, if its module is loaded. None is imported: a recorded name is data."""
    module, _, attribute = name.rpartition(".")
    places = [sys.modules.get(module)] if module else [builtins, sys.modules.get("__main__")]
    found = next((value for place in places if (value := getattr(place, attribute, None)) is not None), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _made(kind: type[BaseException], message: str) -> BaseException:
    """Make an exception with a text, also of a class whose constructor wants more than that."""
    try:
        error = kind(message)
    except Exception:  # noqa: BLE001  (the boundary "rebuilding": any constructor may refuse a text alone)
        error = kind.__new__(kind, message)
        error.args = (message,)
    return error


def _as_annotated(value: Any, function: Callable[..., Any]) -> Any:
    """Return a JSON value as the function's return annotation says; as it is where there is none, or where it does not fit."""
    from pydantic import TypeAdapter  # noqa: PLC0415  (few tests replay)

    called = function if hasattr(function, "__annotations__") else type(function).__call__
    try:
        annotation = typing.get_type_hints(called, include_extras=True).get("return")
        if annotation is None or annotation is Any:
            return value
        if getattr(typing.get_origin(annotation), "__name__", "") in _PER_ITEM and typing.get_args(annotation):
            each = TypeAdapter(typing.get_args(annotation)[0])
            return [each.validate_python(item) for item in value]
        return TypeAdapter(annotation).validate_python(value)
    except Exception as error:  # noqa: BLE001  (the boundary "rebuilding": an annotation may be anything)
        name = getattr(function, "__qualname__", type(function).__name__)
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        guard.notices.say(
            f"replayed {name}", "%s gives JSON in the replay: its result is not made what it is annotated with (%s).", name, reason
        )
        return value
