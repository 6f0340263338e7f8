"""The command line → a command, and its result → an exit code.

0: done. 1: failed, and one line on stderr says why. 2: the arguments are invalid. 130: interrupted. 141: the reader of the output has gone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from .._config.settings import home_directory
from ..errors import WhyOpsError
from . import deliver, doctor, export, list_traces, prune, push, report, sampling, show_trace, status, ui
from ._command import Command, Context, Terminal

COMMANDS: tuple[Command, ...] = (
    list_traces.COMMAND,
    show_trace.COMMAND,
    report.COMMAND,
    ui.COMMAND,
    export.COMMAND,
    push.COMMAND,
    prune.COMMAND,
    status.COMMAND,
    deliver.COMMAND,
    sampling.COMMAND,
    doctor.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name (the process's own, if none are given), and return its exit code."""
    arguments = _parser().parse_args(argv)
    terminal = Terminal.of(sys.stdout)
    try:
        code = _run(arguments, terminal)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's last flush is quiet, too
        return 141
    except KeyboardInterrupt:
        return 130
    return code


def _run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    try:
        command: Command = arguments.command
        return command.run(arguments, Context(home_directory(arguments.home), terminal))
    except WhyOpsError as error:
        print(f"whyops: {terminal.printable(str(error))}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="whyops", description="See what an AI agent did, and why.")
    parser.add_argument("--version", action="version", version=f"whyops {metadata.version('whyops')}")
    parser.add_argument("--home", metavar="FOLDER", help="where local data is stored (default: WHYOPS_HOME, else ~/.whyops)")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(command.name, help=command.summary, description=command.description, epilog=command.epilog)
        added.add_argument("--home", metavar="FOLDER", default=argparse.SUPPRESS, help="where local data is stored")
        if command.add_arguments is not None:
            command.add_arguments(added)
        added.set_defaults(command=command)
    return parser
