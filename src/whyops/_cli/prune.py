"""`whyops prune`: remove traces from this machine, by age, size, user or id."""

from __future__ import annotations

import argparse
import re
import sys
import time

from .._outbox.erase import count_held, erase
from .._printable import counted
from .._render.format import bytes_text
from .._store.prune import Unwanted, tidy
from .._store.reader import StoreReader
from .._store.row import decode
from ..errors import WhyOpsError
from ._command import Command, Context
from ._local import absorb_local
from ._selection import age

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?", re.ASCII)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("traces", nargs="*", metavar="ID", help="these traces")
    parser.add_argument("--older-than", type=age, metavar="AGE", help="traces without news for so long: 12h, 30d")
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help="the oldest, until the local store takes up no more: 500MB")
    parser.add_argument("--user", metavar="ID", help="all that belongs to this user, also what waits for delivery or was refused")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Remove, and say what went."""
    if not (arguments.traces or arguments.older_than or arguments.max_size is not None or arguments.user):
        raise WhyOpsError("Say what is to go: an ID, --older-than, --max-size or --user. See `whyops prune --help`.")
    absorb_local(context.home)
    reader = StoreReader(context.home)
    before = None if arguments.older_than is None else time.time() - arguments.older_than.total_seconds()
    ids = [reader.resolve(wanted) for wanted in arguments.traces]
    unwanted = Unwanted(ids, arguments.user, None if before is None else int(before), arguments.max_size)
    tidied = tidy(context.home, unwanted, dry_run=arguments.dry_run)
    is_unwanted = _Lines(frozenset(ids) | (frozenset(tidied.trace_ids) if arguments.user else frozenset()), arguments.user, before)
    erased = 0 if arguments.dry_run else erase(context.home, is_unwanted)
    held = count_held(context.home, is_unwanted)
    verb = "would be removed" if arguments.dry_run else "removed"
    context.terminal.write(f"{counted(len(tidied.trace_ids), 'trace')} {verb} ({bytes_text(tidied.bytes)}).\n")
    if erased:
        context.terminal.write(f"{counted(erased, 'event')} removed that waited for delivery or had been refused.\n")
    if held:
        what = "wait for delivery, too" if arguments.dry_run else "are held by processes that run: run this again when they have ended"
        print(f"{counted(held, 'event')} {what}.", file=sys.stderr)
    return 0


class _Lines:
    """Tells which lines outside the store are to go with the traces."""

    def __init__(self, trace_ids: frozenset[str], user: str | None, before: float | None) -> None:
        self._trace_ids = trace_ids
        self._user = user
        self._before = before

    def __call__(self, line: bytes, written_at: float) -> bool:
        event = decode(line)
        if event is None:
            return False
        if event.get("traceId") in self._trace_ids or (self._user is not None and event.get("externalUserId") == self._user):
            return True
        return self._before is not None and written_at < self._before


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 500MB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


COMMAND = Command(
    name="prune",
    summary="remove traces from this machine, by age, size, user or id",
    description="Remove traces from the local store, and their events from what waits for delivery without a living process. What the "
    "service has is not touched.",
    epilog="Examples: whyops prune --older-than 30d; whyops prune --user user_12345",
    run=run,
    add_arguments=add_arguments,
)
