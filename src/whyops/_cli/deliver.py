"""`whyops deliver`: send events left by processes that have exited."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .._outbox.destination import Destination
from .._outbox.inspect import Waiting, inspect_outboxes
from .._printable import counted
from ..errors import WhyOpsError
from ..events import Sink
from ..types import FlushResult
from ._command import Command, Context
from ._local import local_sink
from ._progress import Progress
from ._receiver import HOW_TO_NAME_ONE, is_for_spans, receiver_of, required_receiver
from ._sending import add_timeout, delivery_to, result_text, settled, wait_for
from ._service import LOCAL, destination_name, is_reachable, required_service, service_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        help="a folder that `whyops status` names, also if its events were recorded for another key or address",
    )
    add_timeout(parser, "for each destination")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Deliver, destination by destination. Exit code 1 if anything is left or was rejected."""
    selected = _selected(context.home, arguments.source)
    if not selected:
        context.note("No waiting events can be delivered with the current settings.")
    failed = False
    for one in selected:
        result = _deliver(one, context.home, arguments.timeout)
        left = max(one.orphaned - settled(result), 0)
        failed = failed or bool(left or result.rejected)
        context.print(f"{destination_name(one.destination)}: {result_text(left, result)}")
    _mention_others(context)
    return 1 if failed else 0


def _selected(home: Path, source: str | None) -> list[Waiting]:
    found = inspect_outboxes(home)
    if source is None:
        service, receiver = service_of(home), receiver_of(home)
        return [one for one in found if one.orphaned and is_reachable(one.destination, service, receiver)]
    named = [one for one in found if one.folder.name == Path(source).name]
    if not named:
        raise WhyOpsError(f"No folder {Path(source).name!r} with waiting events. `whyops status` lists the folders.")
    return [one for one in named if one.orphaned]


def _deliver(one: Waiting, home: Path, timeout: float) -> FlushResult:
    """Send one destination's events, with the current key and address, whatever they were recorded with."""
    delivery = delivery_to(*_route(one.destination, home), home, one.folder)
    with Progress("events", one.orphaned) as progress:
        return wait_for(delivery.close(timeout, may_give_up=True), delivery, timeout, progress, lambda: settled(delivery.counts()))


def _route(destination: Destination | None, home: Path) -> tuple[Destination, Callable[[], Sink]]:
    """Return the destination, and what makes the sink that leads there."""
    if destination is not None and destination.url == LOCAL:
        return destination, local_sink(home)
    if destination is not None and is_for_spans(destination):
        return destination, partial(required_receiver(home).sink, destination.agent_name)
    service = required_service(home)
    destination = destination or service.destination(service.settings.agent_name or "default")
    return destination, partial(service.sink, destination.agent_name)


def _mention_others(context: Context) -> None:
    """Say what else waits, and how it can be sent."""
    service, receiver = service_of(context.home), receiver_of(context.home)
    for one in inspect_outboxes(context.home):
        if one.orphaned and not is_reachable(one.destination, service, receiver):
            verb = "waits" if one.orphaned == 1 else "wait"
            hint = "a key: set WHYOPS_API_KEY"
            if is_for_spans(one.destination):
                hint = f"a receiver: {HOW_TO_NAME_ONE}"
                if receiver:
                    hint = f"another receiver: `whyops deliver --from {one.folder.name}` sends them to the current one"
            elif service:
                hint = f"another key: `whyops deliver --from {one.folder.name}` sends them with the current key"
            context.note(f"{counted(one.orphaned, 'event')} for {destination_name(one.destination)} {verb} for {hint}.")


COMMAND = Command(
    description="Send the events that wait on this machine without a running process to send them: to the local store, or to the service.",
    epilog="The next process with the same settings also sends them. `whyops status` shows what waits.",
    run=run,
    add_arguments=add_arguments,
)
