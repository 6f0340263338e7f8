"""`whyops show`: one trace's decision path."""

from __future__ import annotations

import argparse

from whyops._store.reader import StoreReader
from whyops._views.recorded import RecordedTrace
from whyops._views.tree import render_tree

from ._command import Command, Context
from ._local import absorb_local, alive_in

__all__ = ["COMMAND"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("trace", metavar="ID", help="a trace's id, the beginning of it, or 'last'")
    parser.add_argument("--full", action="store_true", help="show every value whole")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the trace."""
    absorb_local(context.home)
    reader = StoreReader(context.home)
    trace_id = reader.resolve(arguments.trace)
    trace = RecordedTrace.from_events(reader.events(trace_id), trace_id)
    terminal = context.terminal
    terminal.write(
        render_tree(
            trace,
            width=terminal.width,
            color=terminal.color,
            full=arguments.full,
            encoding=terminal.encoding,
            zone=None,
            is_alive=alive_in(context.home),
        )
    )
    return 0


COMMAND = Command(
    name="show",
    summary="show what happened in a trace, step by step",
    description="Show a trace's decision path: what the user said, what the model thought and chose, what the tools gave back.",
    epilog="Example: whyops show last",
    run=run,
    add_arguments=add_arguments,
)
