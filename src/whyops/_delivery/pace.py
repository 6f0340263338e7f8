"""How long the sender waits for what."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """Times in seconds, which tests make shorter.

    `linger`: at most so long events wait for more to come, where nobody waits for them. `quiet`: a pause that ends the wait. `backoff`:
    after the first failure, before the next attempt; `longest_backoff`: after many. `idle`: with nothing to do, until the thread ends.
    `disk`: where files could not be written, until they are tried again.
    """

    linger: float = 1.0
    quiet: float = 0.1
    backoff: float = 0.5
    longest_backoff: float = 60.0
    idle: float = 10.0
    disk: float = 60.0


PACE = Pace()
