"""What is asked of a server, and what comes back: one exchange, bounded in time and in size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from .._runtime.clock import CLOCK
from .answer import Answer

MAX_ANSWER_BYTES = 16_000_000
"""An answer takes no more on the wire, if nothing else is said."""


class Request(NamedTuple):
    """What is asked. All of the exchange is done within `timeout` seconds, and its answer is no longer than `max_answer` bytes."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout: float
    max_answer: int = MAX_ANSWER_BYTES


class Deadline:
    """The moment by which all of an exchange is done, so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._at = CLOCK.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, more than 0.

        Raises:
            TimeoutError: none are.
        """
        seconds = self._at - CLOCK.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class Unreachable(Exception):
    """No whole answer came. The text says why, and holds nothing secret."""


class Channel(ABC):
    """A way to a server, used by one thread at a time."""

    @abstractmethod
    def exchange(self, request: Request) -> Answer:
        """Return the answer, whatever its status. A redirection is an answer, too: the key goes nowhere else.

        Raises:
            Unreachable: none came, or not in time, or none that is whole and within bounds.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""
