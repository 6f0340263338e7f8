"""`whyops help`: what a command does."""

from __future__ import annotations

import argparse

from ._command import Command, Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("of", nargs="?", metavar="COMMAND", help="the command; without one, all are listed")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the help text of a command, or of all."""
    parsers: dict[str, argparse.ArgumentParser] = arguments.commands
    if arguments.of is not None and arguments.of not in parsers:
        arguments.refuse(arguments.of)
    text = parsers[arguments.of].format_help() if arguments.of else arguments.overview()
    context.terminal.write(text)
    return 0


COMMAND = Command(description="Show what a command does.", run=run, add_arguments=add_arguments)
