"""The command line → a command, and its result → an exit code.

0: done. 1: failed, and one line on stderr says why. 2: the arguments are invalid. 130: interrupted. 141: the reader of the output has gone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import metadata
from typing import NoReturn

from .._config.settings import home_directory
from ..errors import WhyOpsError
from . import (
    completion,
    deliver,
    diff,
    doctor,
    export,
    list_traces,
    mcp,
    prune,
    push,
    report,
    sampling,
    show_help,
    show_trace,
    status,
    tail,
    ui,
)
from ._command import Command, Context, Terminal

COMMANDS: tuple[Command, ...] = (
    list_traces.COMMAND,
    show_trace.COMMAND,
    diff.COMMAND,
    tail.COMMAND,
    report.COMMAND,
    ui.COMMAND,
    mcp.COMMAND,
    export.COMMAND,
    push.COMMAND,
    prune.COMMAND,
    status.COMMAND,
    deliver.COMMAND,
    sampling.COMMAND,
    doctor.COMMAND,
    completion.COMMAND,
    show_help.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name (the process's own, if none are given), and return its exit code."""
    arguments = _parsed(sys.argv[1:] if argv is None else argv)
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


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return what the words mean; a command or an option that there is not ends the process with the nearest one."""
    parser, parsers = _parsers()

    def refuse(word: str) -> NoReturn:
        near = get_close_matches(word, parsers, 1)
        parser.error(f"there is no command {word!r}" + (f"; did you mean {near[0]!r}?" if near else f". Commands: {', '.join(parsers)}"))

    word = _command_word(argv)
    if word is not None and word not in parsers:
        refuse(word)
    arguments, unknown = parser.parse_known_args(argv, argparse.Namespace(commands=parsers, overview=parser.format_help, refuse=refuse))
    if unknown:
        _refuse_arguments(parsers[arguments.command.name], unknown)
    return arguments


def _refuse_arguments(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """End the process with the nearest option of a command, and how the command is used."""
    option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), "")
    near = get_close_matches(option, completion.options_of(parser), 1)
    parser.error(f"unrecognized arguments: {' '.join(unknown)}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _command_word(argv: Sequence[str]) -> str | None:
    """Return the first word that is neither an option nor the value of one."""
    words = iter(argv)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(prog="whyops", description="See what an AI agent did, and why.")
    parser.add_argument("--version", action="version", version=f"whyops {metadata.version('whyops')}")
    parser.add_argument("--home", metavar="FOLDER", help="where local data is stored (default: WHYOPS_HOME, else ~/.whyops)")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parsers = {}
    for command in COMMANDS:
        added = parsers[command.name] = commands.add_parser(
            command.name, help=command.summary, description=command.description, epilog=command.epilog
        )
        added.add_argument("--home", metavar="FOLDER", default=argparse.SUPPRESS, help="where local data is stored")
        if command.add_arguments is not None:
            command.add_arguments(added)
        added.set_defaults(command=command)
    return parser, parsers
