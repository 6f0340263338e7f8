"""The boundary around reading one value: an exception there costs that value, not its neighbours and not the agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
D = TypeVar("D")


class Failed(Generic[T]):
    """Stands for a value that could not be read. `error` is the type of the exception."""

    __slots__ = ("error",)

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error


def safely(read: Callable[[T], R], value: T) -> R | Failed[T]:
    """Return `read(value)`, or `Failed` if that raises. An exception that stops the program propagates."""
    try:
        return read(value)
    except BaseException as error:  # the boundary "one value"
        if stops(error):
            raise
        return Failed(type(error))


def safely_or(read: Callable[[T], R], value: T, default: D) -> R | D:
    """Return `read(value)`, or `default` if that raises."""
    result = safely(read, value)
    return default if isinstance(result, Failed) else result


def stops(error: BaseException) -> bool:
    """Tell whether an exception is meant to stop the program: KeyboardInterrupt, SystemExit, a cancellation.

    A panic of pydantic-core derives from BaseException too, but it is caused by a value.
    """
    kind = type(error)
    return not issubclass(kind, Exception) and kind.__name__ != "PanicException"
