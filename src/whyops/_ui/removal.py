"""Removing one trace from this machine, as `whyops prune ID` does."""

from __future__ import annotations

from pathlib import Path

from .._outbox.erase import count_held, erase
from .._store.retention import PruneFilter, prune
from .._wire.read import RecordedEvent


def remove(home: Path, trace_id: str) -> dict[str, object]:
    """Remove a trace from the store, and its events that wait without a running process.

    Returns how many traces and waiting events were removed, and how many events belong to running processes, which deliver them.
    """

    def is_unwanted(event: RecordedEvent, _: float) -> bool:
        return event.trace_id == trace_id

    removed = prune(home, PruneFilter([trace_id]))
    erased = erase(home, is_unwanted, {trace_id})
    return {"removed": len(removed.trace_ids), "erased": erased, "held": count_held(home, is_unwanted)}
