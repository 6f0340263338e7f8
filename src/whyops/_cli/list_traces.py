"""`whyops list`: the traces there are, the newest first."""

from __future__ import annotations

import argparse
import sys
import time

from .._render.terminal.trace_table import ListedTrace, render_list
from .._store.reader import StoreReader
from ._command import Command, Context
from ._local import absorb_local
from ._selection import add_selection, is_given, selection_of

USUAL_COUNT = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("-n", "--limit", type=_count, default=USUAL_COUNT, metavar="N", help=f"how many at most (default: {USUAL_COUNT})")
    parser.add_argument("-p", "--page", type=_count, default=1, metavar="N", help="which page of so many (default: 1)")
    parser.add_argument("--all", action="store_true", help="all of them")
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List the traces; none at all is no error."""
    absorb_local(context.home)
    reader = StoreReader(context.home)
    selection = selection_of(arguments)
    total = reader.count(selection)
    if not total:
        what = "No such trace" if is_given(arguments) else "No trace"
        print(f"{what} has been recorded in {context.terminal.printable(str(context.home))} yet.", file=sys.stderr)
        return 0
    limit, offset = (-1, 0) if arguments.all else (arguments.limit, arguments.limit * (arguments.page - 1))
    rows = [ListedTrace.of(summary) for summary in reader.summaries(selection, limit=limit, offset=offset)]
    terminal = context.terminal
    terminal.write(
        render_list(
            rows,
            total,
            width=terminal.width if terminal.is_terminal else None,
            color=terminal.color,
            encoding=terminal.encoding,
            now=time.time(),
            zone=None,
            next_page=arguments.page + 1 if offset + len(rows) < total and not arguments.all else None,
        )
    )
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


COMMAND = Command(
    name="list",
    summary="list the recorded traces, the newest first",
    description="List the traces that were recorded on this machine, the one that was active last first.",
    epilog="A trace's id, or as much of its beginning as no other has, is what `whyops show` takes.",
    run=run,
    add_arguments=add_arguments,
)
