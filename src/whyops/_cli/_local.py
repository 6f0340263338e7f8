"""What must happen before the local store is read: events that a dead process left behind are stored first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["absorb_local", "alive_in"]


def absorb_local(home: Path) -> None:
    """Store the local events that dead processes left in their outboxes below `home`."""


def alive_in(home: Path) -> Callable[[str], bool] | None:  # noqa: ARG001 -- the outboxes there tell, once they can be asked
    """Return what tells, by the beginning of an idempotency key, whether the process still runs; None if nothing can."""
    return None
