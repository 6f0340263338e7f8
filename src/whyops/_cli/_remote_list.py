"""`whyops list --remote`: the traces that the service has."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .._render.terminal.trace_table import ListedTrace
from ..errors import WhyOpsError
from ._command import Context
from ._selection import selection_of
from ._service import required_service, service_of

if TYPE_CHECKING:
    from .._service.trace_list import RemoteTrace


def remote_rows(arguments: argparse.Namespace, context: Context, *, limit: int | None, offset: int) -> tuple[list[ListedTrace], int]:
    """Return the lines of the list for the service's traces, and how many traces there are in all.

    Raises:
        WhyOpsError: There is no key, the service can't be asked, or it can't select by what is wanted.
    """
    selection = selection_of(arguments)
    if selection.errors or selection.tool is not None or selection.node is not None:
        raise WhyOpsError(
            "The service's list can't be narrowed down by --errors, --tool or --node: leave them out, or list the local traces."
        )
    from .._service.trace_list import Wanted, list_traces  # noqa: PLC0415  (a local list needs no HTTP)

    wanted = Wanted(selection.agent_name, selection.external_user_id, selection.since, selection.until)
    with required_service(context.home).reader().questions() as questions:
        traces, total = list_traces(questions, wanted, limit=limit, offset=offset)
    return [remote_row(trace) for trace in traces], total


def remote_row(trace: RemoteTrace) -> ListedTrace:
    """Return the line of the list for a trace. The service's list tells neither of calls and errors nor of what was asked."""
    return ListedTrace(
        trace_id=trace.trace_id,
        agent_name=trace.agent_name,
        external_user_id=trace.external_user_id,
        active_at=trace.active_at,
        duration_ms=0.0 if trace.started_at is None or trace.active_at is None else (trace.active_at - trace.started_at) / 1000,
        events=trace.events,
        calls=None,
        errors=0,
        tokens=0,
        asked="",
    )


def where_runs_go(context: Context) -> str:
    """Return one line that says where runs go with the key that is set; nothing without a key."""
    service = service_of(context.home)
    if service is None:
        return ""
    return f"With WHYOPS_API_KEY set, runs go to {service.analyse_url}: `whyops list --remote` lists those. These are this machine's own."
