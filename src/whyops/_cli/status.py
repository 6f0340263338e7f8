"""`whyops status`: what became of the events, destination by destination."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from .._outbox.destination import Destination
from .._outbox.inspect import Waiting, survey
from .._printable import counted
from .._render.terminal.status_table import Standing, render_standings
from ._command import Command, Context
from ._service import Service, service_of

LOCAL = "local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--json", action="store_true", help="write JSON, for programs")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the numbers; nothing recorded yet is no error."""
    service = service_of(context.home)
    found = survey(context.home)
    terminal = context.terminal
    if arguments.json:
        terminal.write(json.dumps([_as_json(one, service) for one in found], indent=2) + "\n")
        return 0
    if not found:
        print(f"Nothing has been recorded in {terminal.printable(str(context.home))} yet.", file=sys.stderr)
        return 0
    standings = [_standing(one, service) for one in found]
    terminal.write(render_standings(standings, width=terminal.width, color=terminal.color, encoding=terminal.encoding))
    return 0


def _standing(one: Waiting, service: Service | None) -> Standing:
    counts = one.counts
    return Standing(
        name=name_of(one.destination),
        recorded=one.recorded,
        delivered=counts.delivered,
        waiting=one.waiting,
        parked=counts.parked,
        sampled_out=counts.sampled_out,
        dropped=counts.dropped,
        not_recorded=counts.not_recorded,
        parked_reasons=counts.parked_reasons,
        sampled_out_reasons=counts.sampled_out_reasons,
        not_recorded_reasons=counts.not_recorded_reasons,
        advice=tuple(_advice(one, service)),
    )


def _advice(one: Waiting, service: Service | None) -> Iterator[str]:
    living = one.waiting - one.orphaned
    if living:
        yield f"{counted(living, 'event')} of processes that run: they deliver by themselves."
    if one.orphaned:
        left = f"{counted(one.orphaned, 'event')} left by processes that ended"
        if is_reachable(one.destination, service):
            yield f"{left}: `whyops deliver` sends them, and so does the next process with the same settings."
        elif service is None:
            yield f"{left}: set WHYOPS_API_KEY, and `whyops deliver` sends them."
        else:
            yield f"{left}, recorded for another key or address: `whyops deliver --from {one.folder.name}` sends them with this one."
    if one.parked_file is not None:
        yield f"What was refused for good is kept in {one.parked_file}."


def is_reachable(destination: Destination | None, service: Service | None) -> bool:
    """Tell whether the present settings are those that the events were recorded with."""
    if destination is None:
        return False
    return destination.url == LOCAL or (service is not None and service.is_own(destination))


def name_of(destination: Destination | None) -> str:
    """Return how a destination is called in a sentence."""
    if destination is None:
        return "a destination that left no name"
    if destination.url == LOCAL:
        return "the local store"
    return f"{destination.agent_name} at {destination.url}"


def _as_json(one: Waiting, service: Service | None) -> dict[str, object]:
    counts = one.counts
    return {
        "destination": None if one.destination is None else {"url": one.destination.url, "agentName": one.destination.agent_name},
        "folder": str(one.folder),
        "presentSettings": is_reachable(one.destination, service),
        "recorded": one.recorded,
        "delivered": counts.delivered,
        "waiting": one.waiting,
        "orphaned": one.orphaned,
        "parked": counts.parked,
        "parkedReasons": counts.parked_reasons,
        "parkedFile": None if one.parked_file is None else str(one.parked_file),
        "sampledOut": counts.sampled_out,
        "sampledOutReasons": counts.sampled_out_reasons,
        "dropped": counts.dropped,
        "notRecorded": counts.not_recorded,
        "notRecordedReasons": counts.not_recorded_reasons,
    }


COMMAND = Command(
    name="status",
    summary="show what was delivered, and what waits, was refused or left out, and why",
    description="Show what became of the recorded events, for each place they go to. Changes nothing.",
    epilog="`whyops deliver` sends what waits.",
    run=run,
    add_arguments=add_arguments,
)
