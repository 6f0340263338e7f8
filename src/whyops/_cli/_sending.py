"""Sending events from a command: deliveries, waiting for them, and the text of the result."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from .._delivery.delivery import Delivery
from .._outbox.destination import Destination
from .._printable import counted
from ..events import Sink
from ..types import FlushResult
from ._progress import GRACE_SECONDS, Progress
from ._values import seconds

USUAL_SECONDS = 60.0
NO_PROCESS = "0" * 16
"""Stands for a process in the names of outbox files; a command records no events of its own."""


def add_timeout(parser: argparse.ArgumentParser, of_what: str) -> None:
    """Add the option that limits how long sending may take."""
    parser.add_argument(
        "--timeout", type=seconds, default=USUAL_SECONDS, metavar="S", help=f"time limit {of_what} in seconds (default: {USUAL_SECONDS:g})"
    )


def delivery_to(destination: Destination, make_sink: Callable[[], Sink], home: Path, folder: Path | None = None) -> Delivery:
    """Return a delivery to a destination; of the events in `folder`, if it is not the destination's own."""
    return Delivery(destination, make_sink, home=home, process_nonce=lambda: NO_PROCESS, folder=folder)


def wait_for(future: Future[FlushResult], delivery: Delivery, timeout: float, progress: Progress, done: Callable[[], int]) -> FlushResult:
    """Wait until a delivery has flushed or closed, and show meanwhile how many events are `done`."""
    return progress.wait(future, timeout + GRACE_SECONDS, delivery.counts, done, delivery.attend)


def settled(*counts: FlushResult) -> int:
    """Return how many events need no further attempt."""
    return sum(one.delivered + one.accepted + one.rejected + one.sampled_out for one in counts)


def result_text(left: int, *counts: FlushResult) -> str:
    """Return what became of the events, as a sentence. `left` of them were not sent."""
    sampled_out, rejected = sum(one.sampled_out for one in counts), sum(one.rejected for one in counts)
    accepted = sum(one.accepted for one in counts)
    parts = (
        f"{counted(sum(one.delivered for one in counts), 'event')} delivered",
        f"{accepted:,} accepted by the service's queue" if accepted else "",
        f"{sampled_out:,} sampled out by the service (see `whyops doctor`)" if sampled_out else "",
        f"{rejected:,} rejected (see `whyops status`)" if rejected else "",
        f"{left:,} not sent: run this again to continue" if left else "",
    )
    return ", ".join(filter(None, parts)) + "."
