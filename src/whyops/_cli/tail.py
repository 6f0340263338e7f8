"""`whyops tail`: what all agents on this machine do, as they do it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from .._outbox.follow import OutboxFollower
from .._render.step_text import FAILED, INTERRUPTED, step_text
from .._render.terminal.live_line import live_line
from .._store.reader import StoreReader
from .._trace.live import LiveSteps
from .._trace.steps import Step
from .._wire.read import decode
from ._command import Command, Context

_EVERY_SECONDS = 0.25
_STILL_OPEN_SECONDS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--trace", metavar="ID", default="", help="only the traces whose id begins so")
    parser.add_argument("--errors", action="store_true", help="only what failed or was interrupted")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write a line for each step until the user ends it."""
    terminal = context.terminal
    if terminal.is_terminal:
        context.note(f"Waiting for what agents record in {context.home}. Ctrl-C ends.")
    width = terminal.width if terminal.is_terminal else None
    for steps in _steps(context.home):
        for step in steps:
            if _is_wanted(step, arguments):
                terminal.write(live_line(step, width=width, color=terminal.color, encoding=terminal.encoding, zone=None))
        terminal.stream.flush()
        time.sleep(_EVERY_SECONDS)
    return 0


def _is_wanted(step: Step, arguments: argparse.Namespace) -> bool:
    if not (step.first.trace_id or "").startswith(arguments.trace):
        return False
    return not arguments.errors or step_text(step).state in (FAILED, INTERRUPTED)


def _steps(home: Path) -> Iterator[list[Step]]:
    """Yield, each time that it is asked, the steps that ended since: of lines that wait, and of those that are in the store already."""
    waiting, store, live = OutboxFollower(home), StoreReader(home), LiveSteps()
    last = store.last_event()
    while True:
        now = time.monotonic()
        lines = waiting.lines()
        stored, last = store.lines_after(last)
        events = [event for line in (*stored, *lines) if (event := decode(line)) is not None]
        yield [*live.add(events, now), *live.still_open(now, _STILL_OPEN_SECONDS)]


COMMAND = Command(
    description="Follow all runs on this machine: a line for each step as it ends, and for each call that takes longer than two seconds. "
    "What is sent to the service is shown, too, as it passes through the outbox. Ctrl-C ends.",
    epilog="Example: whyops tail --errors",
    run=run,
    add_arguments=add_arguments,
)
