"""The local store as a command finds it: with what dead processes left behind, and with word of those that live."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .._delivery.delivery import Delivery
from .._outbox.inspect import is_alive, survey
from .._store.reader import StoreReader
from .._store.sink import SqliteSink
from ..events import Sink

ABSORB_SECONDS = 30.0
NOBODY = "0" * 16


def absorb_local(home: Path) -> None:
    """Store the local events that dead processes left in their outboxes below `home`; what can't be stored stays there."""
    for waiting in survey(home):
        destination = waiting.destination
        if waiting.orphaned and destination is not None and destination.url == "local":
            delivery = Delivery(destination, local_sink(home), home=home, process_nonce=lambda: NOBODY, folder=waiting.folder)
            delivery.wait(delivery.close(ABSORB_SECONDS), ABSORB_SECONDS, delivery.counts)


def local_sink(home: Path) -> Callable[[], Sink]:
    """Return what makes the sink that is the local store. It has no bounds: what is too old or too much is the programs' to say.

    Raises:
        StoreError: The store can't be used, so that it would be tried in vain.
    """
    StoreReader(home).count()
    return partial(SqliteSink, home)


def alive_in(home: Path) -> Callable[[str], bool | None]:
    """Return what tells, by the beginning of its events' idempotency keys, whether a process that recorded below `home` still runs."""
    return partial(is_alive, home)
