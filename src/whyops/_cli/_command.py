"""What a command is: its name, help texts and arguments, and the function that runs it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._terminal import Terminal


@dataclass(frozen=True)
class Context:
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


@dataclass(frozen=True)
class Command:
    """One command. `run` returns the exit code, or raises a `WhyOpsError` whose text is shown."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace, Context], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None
    description: str | None = None
    epilog: str | None = None
