"""Local data: the store, events that exited processes left for it, which processes still run, and a trace from there or the service."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .._load import find_trace
from .._outbox.inspect import inspect_outboxes, is_alive
from .._store.reader import StoreReader
from .._store.sink import SqliteSink
from .._trace.recorded import RecordedTrace
from ..events import Sink
from ._command import Context
from ._sending import delivery_to
from ._service import LOCAL, service_of

ABSORB_SECONDS = 30.0


def absorb_local(home: Path) -> None:
    """Store the local events that exited processes left in their outboxes below `home`; what can't be stored stays there."""
    for waiting in inspect_outboxes(home):
        if waiting.orphaned and waiting.destination is not None and waiting.destination.url == LOCAL:
            delivery = delivery_to(waiting.destination, local_sink(home), home, waiting.folder)
            delivery.wait(delivery.close(ABSORB_SECONDS), ABSORB_SECONDS, delivery.counts)


def local_sink(home: Path) -> Callable[[], Sink]:
    """Return a factory of sinks for the local store. It removes nothing: limits on age and size are set by the recording programs.

    Raises:
        StoreError: The store can't be used.
    """
    StoreReader(home).count()
    return partial(SqliteSink, home)


def alive_in(home: Path) -> Callable[[str], bool | None]:
    """Return a function that looks up whether a process still runs, by the prefix of the idempotency keys of its events in `home`."""
    return partial(is_alive, home)


def add_local(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves the service out."""
    parser.add_argument("--local", action="store_true", help="read local data only; don't query the service")


def load(wanted: str, arguments: argparse.Namespace, context: Context) -> RecordedTrace:
    """Return the trace; with a key, events that are not stored locally come from the service."""
    absorb_local(context.home)
    service = None if arguments.local else service_of(context.home)
    return find_trace(wanted, context.home, None if service is None else service.reader())
