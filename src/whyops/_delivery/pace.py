"""How long the sender waits for what."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import os
from collections.abc import Callable
from typing import NamedTuple

MAX_ASKED_SECONDS = 3600.0


class Pace(NamedTuple):
    """Times in seconds, which tests make shorter.

    `linger`: at most so long events wait for more to come, where nobody waits for them. `quiet`: a pause that ends the wait. `backoff`:
    after the first failure, before the next attempt; `longest_backoff`: after many. `idle`: with nothing to do, until the thread ends.
    `rest`: with nothing to do, until a sink sends what it holds back. `disk`: where files could not be written, until they are tried again.
    """

    linger: float = 1.0
    quiet: float = 0.1
    backoff: float = 0.5
    longest_backoff: float = 60.0
    idle: float = 10.0
    rest: float = 60.0
    disk: float = 60.0


PACE = Pace()


def any_share() -> float:
    """Return a random number from 0 to 1. The system's own, as `random` would be loaded for this alone."""
    return int.from_bytes(os.urandom(4), "big") / 0xFFFFFFFF


class Backoff:
    """Waits twice as long after each failure in a row, up to a limit, at random within the upper half; without end."""

    def __init__(self, clock: Callable[[], float], pace: Pace, chance: Callable[[], float] = any_share) -> None:
        self._clock = clock
        self._pace = pace
        self._chance = chance
        self.failures = 0
        self.until = 0.0

    def failed(self, asked: float | None = None) -> None:
        """Wait from now on; at least as long as the other side asked for, within reason."""
        seconds = min(self._pace.longest_backoff, self._pace.backoff * 2 ** min(self.failures, 10)) * (0.5 + self._chance() / 2)
        if asked is not None:
            seconds = max(seconds, min(asked, MAX_ASKED_SECONDS))
        self.failures += 1
        self.until = self._clock() + seconds

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0

    def hasten(self) -> None:
        """Allow the next attempt now."""
        self.until = 0.0

    def remaining(self) -> float:
        """Return for how many seconds nothing is to be sent."""
        return max(0.0, self.until - self._clock()) if self.failures else 0.0
