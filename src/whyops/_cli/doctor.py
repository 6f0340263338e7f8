"""`whyops doctor`: look for what keeps events from arriving, and say what to do about each."""

from __future__ import annotations

import argparse
import time

from .._config import settings as _settings
from .._render.terminal.doctor_table import render_findings
from ._checks.home import check_home
from ._checks.program import check_program
from ._checks.service import check_service
from ._checks.traces import check_traces
from ._command import Command, Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words: there are none."""


def run(arguments: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 -- there are none
    """Look, and tell. Exit code 1 if something is broken."""
    settings = _settings.given(home=context.home).completed()
    findings = [
        *check_program(),
        *check_home(context.home),
        *check_service(settings, time.time()),
        *check_traces(context.home),
    ]
    terminal = context.terminal
    terminal.write(render_findings(findings, width=terminal.width, color=terminal.color, encoding=terminal.encoding))
    return 1 if any(finding.level == "bad" for finding in findings) else 0


COMMAND = Command(
    name="doctor",
    summary="look for what keeps events from arriving, and say what to do",
    description="Look at the settings, the folder for local data, the service and the latest traces, and say what to do about each "
    "finding. Changes nothing, here or there.",
    run=run,
    add_arguments=add_arguments,
)
