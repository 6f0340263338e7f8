"""The destinations that events were recorded for, and whether the current settings lead there."""

from __future__ import annotations

from .._outbox.destination import Destination
from ._service import Service

LOCAL = "local"


def is_reachable(destination: Destination | None, service: Service | None) -> bool:
    """Return whether the current settings are those that the events were recorded with."""
    if destination is None:
        return False
    return destination.url == LOCAL or (service is not None and destination == service.destination(destination.agent_name))


def name_of(destination: Destination | None) -> str:
    """Return what a destination is called in a sentence."""
    if destination is None:
        return "an unknown destination"
    return "the local store" if destination.url == LOCAL else f"{destination.agent_name} at {destination.url}"
