"""The moment by which all of an exchange is done."""

from __future__ import annotations

from .._runtime.clock import CLOCK


class Deadline:
    """A moment, so many seconds from now."""

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
