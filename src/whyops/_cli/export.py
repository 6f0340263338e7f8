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
from ._selection import add_selection, chosen_ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "traces", nargs="*", metavar="ID", help="traces' ids, beginnings of them, or 'last'; without any, all that are selected"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="where to write (else standard output)")
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write the lines, trace by trace, the oldest first."""
    absorb_local(context.home)
    reader = StoreReader(context.home)
    ids = chosen_ids(arguments, reader)
    lines = _lines(reader, ids)
    if arguments.output is not None:
        write_out(arguments.output, lines)
        print(f"{counted(len(ids), 'trace')} written to {context.terminal.printable(str(arguments.output))}.", file=sys.stderr)
        return 0
    context.terminal.stream.flush()
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    return 0


def _lines(reader: StoreReader, ids: list[str]) -> Iterator[bytes]:
    for trace_id in ids:
        for line in reader.lines(trace_id):
            yield line if line.endswith(b"\n") else line + b"\n"


COMMAND = Command(
    name="export",
    summary="write traces as JSON lines, one event each",
    description="Write what the local store holds, each event on a line of its own as it was recorded, with nothing left out.",
    epilog="Example: whyops export --since 7d -o week.jsonl",
    run=run,
    add_arguments=add_arguments,
)
