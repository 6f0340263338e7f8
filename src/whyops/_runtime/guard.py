"""Recording never raises: what goes wrong inside is logged once, then at most once a minute with a count."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from . import forks

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D")

INFO, WARNING, ERROR = 20, 30, 40
"""Levels, as `logging` numbers them."""

_QUIET_SECONDS = 60.0
MOST_CHARACTERS = 600
"""Of each value in a log line."""
_PACKAGE = __name__.partition(".")[0]

reraise = False
"""Set by the package's own tests, so that the guard hides no bug of this package."""


def log(level: int, message: str, *args: object) -> bool:
    """Log a message, under the name `whyops`. `args` may contain text of any origin: it is made printable, and shortened.

    Returns:
        False where nobody can see it: `logging` can't be loaded, for lack of a file descriptor, or the program has not loaded it, and so
        shows nothing below a warning. Else True.
    """
    if level < WARNING and "logging" not in sys.modules:
        return False
    try:
        with forks.forks_wait():
            import logging  # noqa: PLC0415  (a program that logs nothing need not load it)

            from .. import _printable  # noqa: F401, PLC0415  (as above)
    except (ImportError, OSError):
        return False
    logging.getLogger("whyops").log(level, message, *(arg if isinstance(arg, (int, float)) else _Told(arg) for arg in args))
    return True


class _Told:
    """A value in a log line, converted to text only when the line is written: if that fails, `logging` handles it."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return _shortened(str(self._value))

    def __repr__(self) -> str:
        return _shortened(repr(self._value))


def _shortened(text: str) -> str:
    from .._printable import shortened  # noqa: PLC0415  (as above)

    return shortened(text, MOST_CHARACTERS)


class Notices:
    """Logs each kind of problem once, then at most once a minute with the number of times it occurred since."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # a `__del__` that records may run in here, and have something to log too
        self._said: dict[str, tuple[float, int]] = {}

    def say(self, kind: str, message: str, *args: object, level: int = WARNING) -> None:
        """Log `message`, unless the same `kind` was logged within the last minute."""
        now = self._clock()
        with self._lock:
            last, unsaid = self._said.get(kind, (None, 0))
            if last is not None and now - last < _QUIET_SECONDS:
                self._said[kind] = (last, unsaid + 1)
                return
            self._said[kind] = (now, 0)
        if unsaid:
            message += " (%d more times since this was last said)"
            args = (*args, unsaid)
        if not log(level, message, *args):
            self._said.pop(kind, None)  # the next time it is logged again


notices = Notices()


forks.in_child(notices.__init__)  # type: ignore[misc]  # another thread of the parent may have held its lock

Losing = Callable[[object, str, int], None]
"""Counts events that could not be recorded: whose they were (as the guarded method knows it: its `self`), why, and how many."""


def _uncounted(owner: object, reason: str, events: int) -> None:
    """Count nothing: no client was ever made."""


lose: Losing = _uncounted
"""Set by the module of the default client, which knows whose they were."""


def recording(function: Callable[P, R]) -> Callable[P, R | None]:
    """Make `function` return None where it would raise: a bug of this package costs an event, never the agent."""
    return recording_else(_nothing)(function)


def recording_else(instead: Callable[[Any], D]) -> Callable[[Callable[P, R]], Callable[P, R | D]]:
    """Make a method return `instead(self)` where it would raise: `recording` for a method that promises a value."""

    def guarding(function: Callable[P, R]) -> Callable[P, R | D]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | D:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  (the boundary "recording")
                owner = args[0] if args else None
                if isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None:
                    _wrong_call(error, owner)  # it never began
                else:
                    fault(error, owner)
                return instead(owner)

        return guarded

    return guarding


def _nothing(_: object) -> None:
    """Return nothing."""


def _wrong_call(error: TypeError, owner: object) -> None:
    place = caller()
    lose(owner, f"{error} ({place})", 1)
    notices.say(f"call:{place}:{error}", "A call could not be recorded: %s (at %s). The agent is not affected.", error, place)


def fault(error: Exception, owner: object = None, events: int = 1) -> None:
    """Log that events were lost to a bug of this package, and count them for `owner`: a trace, or what has one."""
    if reraise:
        raise error
    place = caller()
    lose(owner, f"{type(error).__name__} ({place})", events)
    notices.say(
        f"recording:{type(error).__name__}",
        "An event could not be recorded (%s: %s), at %s. The agent is not affected; please report this with the version of whyops.",
        type(error).__name__,
        error,
        place,
    )


def caller() -> str:
    """Return the file and line outside this package that the present call came from."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (`inspect` would read source files for the same)
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
