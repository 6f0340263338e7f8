"""`whyops report`: traces as one HTML file, to look at in a browser or to attach to a ticket."""

from __future__ import annotations

import argparse
import re
import webbrowser
from pathlib import Path

from .. import __version__
from .._render.format import bytes_text
from .._render.page.html import report_parts
from ._command import Command, Context
from ._files import write_out
from ._local import add_local, alive_in, load

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_OF_A_NAME = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("traces", nargs="+", metavar="ID", help="trace ids, prefixes of them, or 'last'")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="output file (default: a file in this folder, named after the trace)"
    )
    parser.add_argument("--open", action="store_true", help="open the file in a browser")
    add_local(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write the file, and print its path."""
    traces = [load(wanted, arguments, context, sparing=True) for wanted in dict.fromkeys(arguments.traces)]
    parts = report_parts(traces, version=__version__, is_alive=alive_in(context.home))
    path: Path = arguments.output or Path(f"whyops-{_UNFIT.sub('-', traces[0].trace_id)[:_MOST_OF_A_NAME].strip('-.') or 'trace'}.html")
    size = write_out(path, (part.encode() for part in parts))
    context.print(str(path))
    context.note(f"{bytes_text(size)}; opens from disk, without a network.")
    if arguments.open and not webbrowser.open(path.absolute().as_uri()):
        context.note("Could not start a browser: open the file yourself.")
    return 0


COMMAND = Command(
    description="Write one self-contained HTML file: the decision graph, a time line, filters, search, and each event's full JSON.",
    epilog="Example: whyops report last -o run.html --open",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
