"""What a command is: its help texts and arguments, the function that runs it, and the home and terminal that it is run with."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TextIO

from .._config.environment import terminal_size, wants_color
from .._printable import printable

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(NamedTuple):
    """A stream, and what can be shown there. `width` and `height` are those of the terminal, or 80 columns and 24 lines without one."""

    stream: TextIO
    is_terminal: bool
    width: int
    color: bool
    encoding: str
    height: int

    @classmethod
    def of(cls, stream: TextIO) -> Terminal:
        """Return what the stream and the environment say."""
        is_terminal = stream.isatty()
        columns, lines = terminal_size()
        return cls(
            stream,
            is_terminal,
            width=columns,
            color=is_terminal and os.name != "nt" and wants_color(),
            encoding=stream.encoding or "utf-8",
            height=lines,
        )

    def write(self, text: str) -> None:
        """Write a text that a view made for this encoding.

        Line by line: an unbuffered stream would not report a reader that goes away in the middle of one write.
        """
        self.stream.writelines(text.splitlines(keepends=True))

    def printable(self, text: str) -> str:
        """Return a text of unknown origin so that showing it does nothing else."""
        return printable(text, self.encoding)


class Context(NamedTuple):
    """Where a command finds local data, and where it writes."""

    home: Path
    terminal: Terminal

    def print(self, line: str) -> None:
        """Print a line of the result. What it quotes does nothing to the terminal."""
        self.terminal.write(f"{self.terminal.printable(line)}\n")

    @staticmethod
    def note(line: str) -> None:
        """Print a line beside the result, on standard error."""
        print(Terminal.of(sys.stderr).printable(line), file=sys.stderr)


class Command(NamedTuple):
    """One command. `run` returns the exit code, or raises a `WhyOpsError` whose text is shown."""

    run: Callable[[argparse.Namespace, Context], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None
    description: str | None = None
    epilog: str | None = None
    is_brief: bool = False
    """Whether it reads what is there, and ends: Python's search for circles among its many objects would find none worth the time."""
