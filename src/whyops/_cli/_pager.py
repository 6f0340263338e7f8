"""A text that is longer than the screen → the user's pager, as git does it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from .._config.environment import of_pager, pager
from ._command import Terminal


def show(terminal: Terminal, text: str) -> None:
    """Write a text; on a terminal, one that has more lines than fit goes through `$PAGER`, or else through `less -R`."""
    command = pager()
    is_long = terminal.is_terminal and text.count("\n") >= terminal.height
    if not is_long or command is None or os.name == "nt" or not _paged(terminal, text, command):
        terminal.write(text)


def _paged(terminal: Terminal, text: str, command: str) -> bool:
    """Run the pager until the user leaves it, and tell whether there is one."""
    import subprocess  # noqa: PLC0415  (needed on a terminal, for a long text)

    terminal.stream.flush()
    process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env=of_pager())  # noqa: S602  (a command line of the user's own)
    with _without_interrupts():
        with contextlib.suppress(BrokenPipeError):  # the user has left it
            process.communicate(text.encode(terminal.encoding, "backslashreplace"))
        return process.wait() not in (_NOT_RUNNABLE, _NOT_FOUND)


_NOT_RUNNABLE, _NOT_FOUND = 126, 127
"""What a shell ends with that can't run a command."""


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the pager."""
    import signal  # noqa: PLC0415  (as above)

    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which alone gets it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
