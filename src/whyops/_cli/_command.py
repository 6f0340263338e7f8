"""What a command is: a name, its words, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._terminal import Terminal


@dataclass(frozen=True)
class Context:
    """Where a command finds the local data, and where it writes."""

    home: Path
    terminal: Terminal


@dataclass(frozen=True)
class Command:
    """One command. `run` returns the exit code, or raises a `WhyOpsError` whose text is shown."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace, Context], int]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    description: str | None = None
    epilog: str | None = None
