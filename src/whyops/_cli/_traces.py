"""The word that names a trace, and the trace that it means."""

from __future__ import annotations

import argparse

from .._load import find_trace
from .._trace.recorded import RecordedTrace
from ._command import Context
from ._local import absorb_local
from ._service import service_of


def add_local(parser: argparse.ArgumentParser) -> None:
    """Declare that only this machine is to be asked."""
    parser.add_argument("--local", action="store_true", help="ask nobody: only what is on this machine, also with a key")


def load(wanted: str, arguments: argparse.Namespace, context: Context) -> RecordedTrace:
    """Return the trace: with a key, the service is asked for what is not here."""
    absorb_local(context.home)
    service = None if arguments.local else service_of(context.home)
    return find_trace(wanted, context.home, None if service is None else service.reader())
