"""Loading one trace for a command."""

from __future__ import annotations

import argparse

from .._load import find_trace
from .._trace.recorded import RecordedTrace
from ._command import Context
from ._local import absorb_local
from ._service import service_of


def add_local(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves the service out."""
    parser.add_argument("--local", action="store_true", help="read local data only; don't query the service")


def load(wanted: str, arguments: argparse.Namespace, context: Context) -> RecordedTrace:
    """Return the trace; with a key, events that are not stored locally come from the service."""
    absorb_local(context.home)
    service = None if arguments.local else service_of(context.home)
    return find_trace(wanted, context.home, None if service is None else service.reader())
