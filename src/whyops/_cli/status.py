"""`whyops status`: what became of the events, destination by destination."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from .._outbox.inspect import Waiting, inspect_outboxes
from .._outbox.reasons import general
from .._printable import counted
from .._render.terminal.status_table import DestinationStatus, render_status
from ._command import Command, Context
from ._receiver import HOW_TO_NAME_ONE, Receiver, is_for_spans, receiver_of
from ._service import Service, destination_name, is_reachable, service_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="write JSON, for programs")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the numbers; nothing recorded yet is no error."""
    service = service_of(context.home)
    receiver = receiver_of(context.home)
    found = inspect_outboxes(context.home)
    terminal = context.terminal
    if arguments.json:
        terminal.write(json.dumps([_as_json(one, service, receiver) for one in found], indent=2) + "\n")
    elif not found:
        context.note(f"Nothing has been recorded in {context.home} yet.")
    else:
        statuses = [DestinationStatus(destination_name(one.destination), one, tuple(_advice(one, service, receiver))) for one in found]
        terminal.write(render_status(statuses, width=terminal.width, color=terminal.color, encoding=terminal.encoding))
    return 0


def _advice(one: Waiting, service: Service | None, receiver: Receiver | None) -> Iterator[str]:
    if one.waiting and one.counts.postponed:
        yield f"Why events wait, as of the last attempt: {general(one.counts.postponed)}."
    living = one.waiting - one.orphaned
    if living:
        yield f"{counted(living, 'event')} of running processes, which deliver them."
    if one.orphaned:
        left = f"{counted(one.orphaned, 'event')} left by processes that have exited"
        if is_reachable(one.destination, service, receiver):
            yield f"{left}: `whyops deliver` sends them; so does the next process with the same settings."
        elif is_for_spans(one.destination) and receiver is None:
            yield f"{left}: {HOW_TO_NAME_ONE}, and `whyops deliver` sends them."
        elif is_for_spans(one.destination):
            yield f"{left}, recorded for another receiver: `whyops deliver --from {one.folder.name}` sends them to the current one."
        elif service is None:
            yield f"{left}: set WHYOPS_API_KEY, and `whyops deliver` sends them."
        else:
            yield f"{left}, recorded for another key or address: `whyops deliver --from {one.folder.name}` sends them with the current key."
    if one.rejected_file is not None:
        yield f"Rejected events are kept in {one.rejected_file}."


def _as_json(one: Waiting, service: Service | None, receiver: Receiver | None) -> dict[str, object]:
    counts = one.counts
    return {
        "destination": None if one.destination is None else {"url": one.destination.url, "agentName": one.destination.agent_name},
        "folder": str(one.folder),
        "presentSettings": is_reachable(one.destination, service, receiver),
        "recorded": one.recorded,
        "delivered": counts.delivered,
        "accepted": counts.accepted,
        "waiting": one.waiting,
        "orphaned": one.orphaned,
        "waitingReason": one.counts.postponed if one.waiting and one.counts.postponed else None,
        "rejected": counts.rejected,
        "rejectedReasons": counts.rejected_reasons,
        "rejectedFile": None if one.rejected_file is None else str(one.rejected_file),
        "sampledOut": counts.sampled_out,
        "sampledOutReasons": counts.sampled_out_reasons,
        "dropped": counts.dropped,
        "notRecorded": counts.not_recorded,
        "notRecordedReasons": counts.not_recorded_reasons,
        "notContinued": counts.not_continued,
        "notContinuedReasons": counts.not_continued_reasons,
    }


COMMAND = Command(
    description="Show what became of the recorded events, by destination. Changes nothing.",
    epilog="`whyops deliver` sends what waits.",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
