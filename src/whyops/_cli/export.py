"""`whyops export`: traces as JSON lines, as they were recorded, to the byte."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from .._printable import counted
from .._store.reader import StoreReader
from ._command import Command, Context
from ._files import write_out
from ._local import absorb_local
from ._selection import add_selection, selected_ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("traces", nargs="*", metavar="ID", help="trace ids, prefixes of them, or 'last'; without any, all selected traces")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="output file (default: standard output)")
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write the lines, trace by trace, the oldest first."""
    absorb_local(context.home)
    reader = StoreReader(context.home)
    ids = selected_ids(arguments, reader)
    lines = _lines(reader, ids)
    if arguments.output is not None:
        write_out(arguments.output, lines)
        context.note(f"{counted(len(ids), 'trace')} written to {arguments.output}.")
        return 0
    context.terminal.stream.flush()
    sys.stdout.buffer.writelines(lines)
    sys.stdout.buffer.flush()
    return 0


def _lines(reader: StoreReader, ids: list[str]) -> Iterator[bytes]:
    for trace_id in ids:
        yield from (line if line.endswith(b"\n") else line + b"\n" for line in reader.lines(trace_id))


COMMAND = Command(
    name="export",
    summary="write traces as JSON lines, one event per line",
    description="Write events of the local store as JSON lines, in full and exactly as they were recorded.",
    epilog="Example: whyops export --since 7d -o week.jsonl",
    run=run,
    add_arguments=add_arguments,
)
