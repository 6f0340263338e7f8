"""`whyops deliver`: send what processes that ended left behind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .._delivery.delivery import Delivery
from .._outbox.destination import Destination
from .._outbox.inspect import Waiting, survey
from .._printable import counted
from ..errors import WhyOpsError
from ..events import Sink
from ..types import FlushResult
from ._command import Command, Context
from ._local import NOBODY, local_sink
from ._progress import GRACE_SECONDS, Progress
from ._service import service_of, the_service
from ._terminal import Terminal
from .status import LOCAL, is_reachable, name_of

USUAL_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        help="also events that were recorded for another key or address: a folder that `whyops status` names",
    )
    parser.add_argument("--timeout", type=_seconds, default=USUAL_SECONDS, metavar="S", help="seconds that it may take (default: 60)")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Deliver, destination by destination. Exit code 1 if anything is left."""
    chosen = _chosen(context.home, arguments.source)
    if not chosen:
        print("Nothing waits that can be delivered with the present settings.", file=sys.stderr)
        return _tell_of_others(context.home, 0)
    left = 0
    for one in chosen:
        result = _deliver(one, context.home, arguments.timeout)
        left += max(one.orphaned - _settled(result), 0) + result.parked
        context.terminal.write(context.terminal.printable(_told(one, result)) + "\n")
    return _tell_of_others(context.home, 1 if left else 0)


def _chosen(home: Path, source: str | None) -> list[Waiting]:
    found = survey(home)
    if source is None:
        service = service_of(home)
        return [one for one in found if one.orphaned and is_reachable(one.destination, service)]
    wanted = Path(source).name
    named = [one for one in found if one.folder.name == wanted]
    if not named:
        raise WhyOpsError(f"No folder {wanted!r} of waiting events is there. `whyops status` shows those there are.")
    return [one for one in named if one.orphaned]


def _deliver(one: Waiting, home: Path, timeout: float) -> FlushResult:
    """Send one destination's leftovers, with the present key and address, whatever they were recorded with."""
    destination, make_sink = _way(one.destination, home)
    delivery = Delivery(destination, make_sink, home=home, process_nonce=lambda: NOBODY, folder=one.folder)
    with Progress("events", one.orphaned) as progress:
        done = lambda: _settled(delivery.counts())  # noqa: E731
        return progress.wait(delivery.close(timeout, may_give_up=True), timeout + GRACE_SECONDS, delivery.counts, done, delivery.attend)


def _way(destination: Destination | None, home: Path) -> tuple[Destination, Callable[[], Sink]]:
    """Return whose the events are, and what takes them there."""
    if destination is not None and destination.url == LOCAL:
        return destination, local_sink(home)
    service = the_service(home)
    whose = destination or service.destination(service.settings.agent_name or "default")
    return whose, partial(service.sink, whose.agent_name)


def _settled(counts: FlushResult) -> int:
    return counts.delivered + counts.parked + counts.sampled_out


def _told(one: Waiting, result: FlushResult) -> str:
    parts = [f"{counted(result.delivered, 'event')} delivered"]
    for number, what in ((result.sampled_out, "sampled out by the service"), (result.parked, "refused for good and parked")):
        parts += [f"{number:,} {what}"] if number else []
    left = max(one.orphaned - _settled(result), 0)
    parts += [f"{left:,} still waiting"] if left else []
    return f"{name_of(one.destination)}: {', '.join(parts)}."


def _tell_of_others(home: Path, code: int) -> int:
    """Say what else waits, and how it is sent."""
    service = service_of(home)
    others = [one for one in survey(home) if one.orphaned and not is_reachable(one.destination, service)]
    for one in others:
        hint = "set WHYOPS_API_KEY" if service is None else f"`whyops deliver --from {one.folder.name}` sends them with the present key"
        whose = Terminal.of(sys.stderr).printable(name_of(one.destination))
        print(f"{counted(one.orphaned, 'event')} for {whose} wait for another key: {hint}.", file=sys.stderr)
    return code


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError
    return seconds


COMMAND = Command(
    name="deliver",
    summary="send events that processes which ended left behind",
    description="Send what waits on this machine and has no living process to send it: to the local store, or to the service.",
    epilog="The next process with the same settings does the same by itself. `whyops status` shows what waits.",
    run=run,
    add_arguments=add_arguments,
)
