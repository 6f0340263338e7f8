"""`whyops diff`: two traces beside each other."""

from __future__ import annotations

import argparse

from .._render.terminal.diff import render_diff
from ._command import Command, Context
from ._local import add_local, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("first", metavar="A", help="a trace id, a prefix of it, or 'last'")
    parser.add_argument("second", metavar="B", help="another one")
    parser.add_argument("--full", action="store_true", help="show also what is alike, and every value in full")
    add_local(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the two traces."""
    first, second = (load(wanted, arguments, context) for wanted in (arguments.first, arguments.second))
    terminal = context.terminal
    terminal.write(
        render_diff(first, second, width=terminal.width, color=terminal.color, full=arguments.full, encoding=terminal.encoding, zone=None)
    )
    return 0


COMMAND = Command(
    description="Show two traces beside each other, step by step: what both decided, what one alone did (- A, + B), and what both did in "
    "another way (~). Ids, times and the order of calls that ran at the same time don't count.",
    epilog="Example: whyops diff session-122 session-123",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
