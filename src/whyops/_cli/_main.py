"""The command line → a command, and its result → an exit code.

0: done. 1: failed, and one line on stderr says why. 2: the arguments are invalid. 130: interrupted. 141: the reader of the output has gone.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

from .. import __version__
from .._config.environment import terminal_size
from ..errors import WhyOpsError
from ._command import Command, Context, Terminal


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End the process as argparse does; where only a trace's id is missing, say which one is at hand."""
        super().error(f"{message}; 'last' is the latest trace" if message.endswith(": ID") else message)


class Listed(NamedTuple):
    """A command as the overview shows it, and the module that is loaded when it is named."""

    name: str
    module: str
    summary: str

    def load(self) -> Command:
        """Return the command itself."""
        command: Command = import_module(f".{self.module}", __package__).COMMAND
        return command


COMMANDS = (
    Listed("list", "list_traces", "list the recorded traces, most recently active first"),
    Listed("show", "show_trace", "show what happened in a trace, step by step"),
    Listed("diff", "diff", "show where two traces part"),
    Listed("tail", "tail", "follow what agents do, a line for each step"),
    Listed("report", "report", "write traces as one HTML file, for a browser or a ticket"),
    Listed("ui", "ui", "browse, search and compare the recorded traces in a browser"),
    Listed("mcp", "mcp", "give coding agents the recorded traces, over MCP (needs the package mcp)"),
    Listed("export", "export", "write traces as JSON lines, one event per line"),
    Listed("push", "push", "send traces of the local store to the service"),
    Listed("prune", "prune", "remove traces from this machine, by age, size, user or id"),
    Listed("status", "status", "show what was delivered, and what waits, was rejected or left out, and why"),
    Listed("deliver", "deliver", "send events left by processes that have exited"),
    Listed("sampling", "sampling", "show or set the share of an agent's traces that the service keeps"),
    Listed("doctor", "doctor", "check what keeps events from arriving, and how to fix it"),
    Listed("completion", "completion", "print a script with which a shell completes commands"),
    Listed("help", "show_help", "show what a command does"),
)
_NEEDS_ALL = "completion"
"""The command that writes down what all others take."""


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
        from .._config.settings import home_directory  # noqa: PLC0415  (--version and --help need no settings)

        command: Command = arguments.command
        run = _uncollected if command.is_brief else command.run
        return run(arguments, Context(home_directory(arguments.home), terminal))
    except WhyOpsError as error:
        print(f"whyops: {terminal.printable(str(error))}", file=sys.stderr)
        return 1


def _uncollected(arguments: argparse.Namespace, context: Context) -> int:
    """Run a command without the search for circles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        command: Command = arguments.command
        return command.run(arguments, context)
    finally:
        if was_enabled:
            gc.enable()


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return what the words mean; a command or an option that there is not ends the process with the nearest one."""
    parser, parsers = _parsers(argv)

    def refuse(word: str) -> NoReturn:
        from difflib import get_close_matches  # noqa: PLC0415  (few mistype)

        near = get_close_matches(word, parsers, 1)
        parser.error(f"there is no command {word!r}" + (f"; did you mean {near[0]!r}?" if near else f". Commands: {', '.join(parsers)}"))

    word = _command_word(argv)
    if word is not None and word not in parsers:
        refuse(word)
    if word is None and not {"-h", "--help", "--version"}.intersection(argv):
        parser.print_help(sys.stderr)  # what one may want, in place of what is missing
        parser.exit(2)
    arguments, unknown = parser.parse_known_args(argv, argparse.Namespace(commands=parsers, overview=parser.format_help, refuse=refuse))
    if unknown and word is not None:
        _refuse_arguments(parsers[word], unknown)
    return arguments


def _refuse_arguments(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """End the process with the nearest option of a command, and how the command is used."""
    from difflib import get_close_matches  # noqa: PLC0415  (few mistype)

    from .completion import options_of  # noqa: PLC0415  (as above)

    option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), "")
    near = get_close_matches(option, options_of(parser), 1)
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


def _parsers(argv: Sequence[str]) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser, and those of all commands by their names: complete are those that the words name, for no other is asked."""
    parser = _Parser(prog="whyops", description="See what an AI agent did, and why.", formatter_class=_formatter)
    parser.add_argument("--version", action="version", version=f"whyops {__version__}")
    parser.add_argument("--home", metavar="FOLDER", help="where local data is stored (default: WHYOPS_HOME, else ~/.whyops)")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parsers: dict[str, argparse.ArgumentParser] = {}
    for listed in COMMANDS:
        added = parsers[listed.name] = commands.add_parser(listed.name, help=listed.summary, formatter_class=_formatter)
        if listed.name in argv or _NEEDS_ALL in argv:
            _complete(added, listed.load())
    return parser, parsers


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return what sets help texts as wide as the terminal; argparse would load `shutil` to learn that."""
    return argparse.HelpFormatter(prog, width=terminal_size()[0] - 2)


def _complete(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.description, parser.epilog = command.description, command.epilog
    parser.add_argument("--home", metavar="FOLDER", default=argparse.SUPPRESS, help="where local data is stored")
    if command.add_arguments is not None:
        command.add_arguments(parser)
    parser.set_defaults(command=command)
