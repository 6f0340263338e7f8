"""The time as delivery reads it; what stamps events is `EventClock`."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import time
from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """Two functions without arguments, in seconds: one that only goes forward, and the time of day."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]


CLOCK = Clock(time.monotonic, time.time)
"""Held in a tuple because tools that freeze time for tests replace the functions of that name in every module."""
