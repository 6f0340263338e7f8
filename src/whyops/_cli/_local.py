"""Local data: the store, events that exited processes left for it, which processes still run, and a trace from there or the service."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .._outbox.inspect import is_alive, left_behind
from .._store.reader import StoreReader
from ..events import Sink
from ._command import Context
from ._service import LOCAL, service_of

if TYPE_CHECKING:
    from .._trace.recorded import RecordedTrace

ABSORB_SECONDS = 30.0


def absorb_local(home: Path) -> None:
    """Store the local events that exited processes left in their outboxes below `home`; what can't be stored stays there."""
    for folder, destination in left_behind(home):
        if destination.url == LOCAL:
            from ._sending import delivery_to  # noqa: PLC0415  (mostly nothing is left, and sending takes many modules)

            delivery = delivery_to(destination, local_sink(home), home, folder)
            delivery.wait(delivery.close(ABSORB_SECONDS), ABSORB_SECONDS, delivery.counts)


def local_sink(home: Path) -> Callable[[], Sink]:
    """Return a factory of sinks for the local store. It removes nothing: limits on age and size are set by the recording programs.

    Raises:
        StoreError: The store can't be used.
    """
    from .._store.sink import SqliteSink  # noqa: PLC0415  (most commands only read)

    StoreReader(home).count()
    return partial(SqliteSink, home)


def alive_in(home: Path) -> Callable[[str], bool | None]:
    """Return a function that looks up whether a process still runs, by the prefix of the idempotency keys of its events in `home`."""
    return partial(is_alive, home)


def add_local(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves the service out."""
    parser.add_argument("--local", action="store_true", help="read local data only; don't query the service")


def load(wanted: str, arguments: argparse.Namespace, context: Context, *, sparing: bool = False) -> RecordedTrace:
    """Return the trace; with a key, events that are not stored locally come from the service. `sparing` is that of `find_trace`."""
    from .._find import find_trace  # noqa: PLC0415  (a list needs no trace)

    absorb_local(context.home)
    service = None if arguments.local else service_of(context.home)
    return find_trace(wanted, context.home, None if service is None else service.reader(), sparing=sparing)
