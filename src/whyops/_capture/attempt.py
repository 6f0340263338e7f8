"""The boundary around reading one value: whatever it raises costs that value, not its neighbours and not the agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Failed(Generic[T]):
    """Stands for the value that could not be read. `error` is the type of what it raised."""

    __slots__ = ("error",)

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error


def attempt(read: Callable[[T], R], value: T) -> R | Failed[T]:
    """Return `read(value)`, or `Failed` if that raises.

    What stops a program (KeyboardInterrupt, SystemExit, a cancellation) passes. A panic of pydantic-core derives from BaseException
    too, yet is the fault of a value.
    """
    try:
        return read(value)
    except BaseException as error:  # the boundary "one value's encoding"
        kind = type(error)
        if not issubclass(kind, Exception) and kind.__name__ != "PanicException":
            raise
        return Failed(kind)
