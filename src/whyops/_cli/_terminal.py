"""Where a command writes: the width, whether colour is shown, and the encoding."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TextIO

from .._config.environment import wants_color
from .._printable import printable


@dataclass(frozen=True)
class Terminal:
    """A stream, and what can be shown there. `width` is that of the terminal, or 80 columns where there is none."""

    stream: TextIO
    is_terminal: bool
    width: int
    color: bool
    encoding: str

    @classmethod
    def of(cls, stream: TextIO) -> Terminal:
        """Return what the stream and the environment say."""
        is_terminal = stream.isatty()
        return cls(
            stream,
            is_terminal,
            width=shutil.get_terminal_size().columns,
            color=is_terminal and os.name != "nt" and wants_color(),
            encoding=stream.encoding or "utf-8",
        )

    def write(self, text: str) -> None:
        """Write a text that a view made for this encoding.

        Line by line: an unbuffered stream would not report a reader that goes away in the middle of one write.
        """
        self.stream.writelines(text.splitlines(keepends=True))

    def printable(self, text: str) -> str:
        """Return a text of unknown origin so that showing it does nothing else."""
        return printable(text, self.encoding)
