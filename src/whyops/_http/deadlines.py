"""The moment by which all of an exchange is done."""

from __future__ import annotations

import time


class Deadline:
    """A moment, so many seconds from now."""

    _monotonic = staticmethod(time.monotonic)  # held here because tools that freeze time replace what modules hold

    def __init__(self, seconds: float) -> None:
        self._at = self._monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, more than 0.

        Raises:
            TimeoutError: none are.
        """
        seconds = self._at - self._monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds
