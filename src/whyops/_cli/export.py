"""`whyops export`: traces as JSON lines, as they were recorded, to the byte."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from .._printable import counted
from .._store.reader import StoreReader
from ..errors import TraceNotFoundError
from ._command import Command, Context
from ._files import write_out
from ._local import absorb_local, add_local, load
from ._selection import add_selection, selected_ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("traces", nargs="*", metavar="ID", help="trace ids, prefixes of them, or 'last'; without any, all selected traces")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="output file (default: standard output)")
    add_local(parser)
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write the lines, trace by trace; of the traces that are selected, the oldest first."""
    absorb_local(context.home)
    reader = StoreReader(context.home)
    found: Iterator[bytes]
    if arguments.traces:
        traces = [_found(wanted, reader, arguments, context) for wanted in arguments.traces]
        number, found = len(traces), chain.from_iterable(of_trace() for of_trace in traces)
    else:
        selected = selected_ids(arguments, reader)
        number, found = len(selected), reader.lines_of_each(selected)
    lines = (line if line.endswith(b"\n") else line + b"\n" for line in found)
    if arguments.output is not None:
        write_out(arguments.output, lines)
        context.note(f"{counted(number, 'trace')} written to {arguments.output}.")
        return 0
    context.terminal.stream.flush()
    sys.stdout.buffer.writelines(lines)
    sys.stdout.buffer.flush()
    return 0


def _found(wanted: str, reader: StoreReader, arguments: argparse.Namespace, context: Context) -> Callable[[], list[bytes]]:
    """Return what reads a trace's lines: from the local store; else all that waits, was rejected, or is at the service."""
    try:
        return partial(reader.lines, reader.resolve(wanted))
    except TraceNotFoundError:
        trace = load(wanted, arguments, context)
        return lambda: [json.dumps(event.raw).encode() for event in trace.events]


COMMAND = Command(
    description="Write events as JSON lines, in full: those of the local store exactly as they were recorded, and with a key also traces "
    "that only the service has, by their ids.",
    epilog="Example: whyops export --since 7d -o week.jsonl",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
