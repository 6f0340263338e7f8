"""`whyops prune`: remove traces from this machine, by age, size, user or id."""

from __future__ import annotations

import argparse
import time

from .._outbox.erase import count_held, erase
from .._printable import counted
from .._render.format import bytes_text
from .._store.reader import StoreReader
from .._store.retention import PruneFilter, prune
from .._wire.read import RecordedEvent
from ..errors import WhyOpsError
from ._command import Command, Context
from ._local import absorb_local
from ._values import age, size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("traces", nargs="*", metavar="ID", help="trace ids, prefixes of them, or 'last'")
    parser.add_argument("--older-than", type=age, metavar="AGE", help="traces inactive for at least this long: 12h, 30d")
    parser.add_argument(
        "--max-size", type=size, metavar="SIZE", help="the oldest traces, until the local store is no larger than this: 500MB"
    )
    parser.add_argument("--user", metavar="ID", help="all data of this user, including events that wait for delivery or were rejected")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Remove, and print what was removed."""
    if not (arguments.traces or arguments.older_than or arguments.max_size is not None or arguments.user):
        raise WhyOpsError("Nothing selected: give an ID, --older-than, --max-size or --user. See `whyops prune --help`.")
    absorb_local(context.home)
    reader = StoreReader(context.home)
    before = None if arguments.older_than is None else time.time() - arguments.older_than.total_seconds()
    ids = [reader.resolve(wanted) for wanted in arguments.traces]
    wanted = PruneFilter(ids, arguments.user, None if before is None else int(before), arguments.max_size)
    removed = prune(context.home, wanted, dry_run=arguments.dry_run)
    whole = {*ids, *(removed.trace_ids if arguments.user else ())}

    def is_unwanted(event: RecordedEvent, written_at: float) -> bool:
        """Return whether an event outside the store is removed along with the traces."""
        return (
            event.trace_id in whole
            or (arguments.user is not None and event.external_user_id == arguments.user)
            or (before is not None and written_at < before)
        )

    erased = 0 if arguments.dry_run else erase(context.home, is_unwanted, whole)
    held = count_held(context.home, is_unwanted)
    verb = "would be removed" if arguments.dry_run else "removed"
    context.print(f"{counted(len(removed.trace_ids), 'trace')} {verb} ({bytes_text(removed.bytes)}).")
    if erased:
        context.print(f"{counted(erased, 'event')} removed that waited for delivery or had been rejected.")
    if held:
        what = "also wait for delivery" if arguments.dry_run else "belong to running processes: run this again when they have exited"
        context.note(f"{counted(held, 'event')} {what}.")
    return 0


COMMAND = Command(
    description="Remove traces from the local store, and their events from those that wait for delivery without a running process. Data "
    "at the service is not changed.",
    epilog="Examples: whyops prune --older-than 30d; whyops prune --user user_12345",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
