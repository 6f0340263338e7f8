"""The time as delivery reads it; what stamps events is `EventClock`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """Two functions without arguments, in seconds: one that only goes forward, and the time of day."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]


CLOCK = Clock(time.monotonic, time.time)
"""Held in a tuple because tools that freeze time for tests replace the functions of that name in every module."""
