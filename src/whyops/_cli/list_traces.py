"""`whyops list`: the recorded traces, most recently active first."""

from __future__ import annotations

import argparse
import json
import time

from .._printable import counted
from .._render.asked import asked_text
from .._render.terminal.trace_table import ListedTrace, render_list
from .._store.reader import EVERYTHING, StoreReader, TraceSummary
from .._wire.read import RecordedEvent
from .._wire.recorded_time import microseconds
from ._command import Command, Context
from ._local import absorb_local
from ._remote_list import remote_rows, where_runs_go
from ._selection import add_selection, selection_of
from ._values import count

USUAL_COUNT = 20
_MOST_OF_A_MESSAGE = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("-n", "--limit", type=count, default=USUAL_COUNT, metavar="N", help=f"traces per page (default: {USUAL_COUNT})")
    parser.add_argument("-p", "--page", type=count, default=1, metavar="N", help="page number (default: 1)")
    parser.add_argument("--all", action="store_true", help="list all traces")
    told = "list the service's traces, with the key in WHYOPS_API_KEY, by --user, --since, --until and the --agent that recorded them"
    parser.add_argument("--json", action="store_true", help="write the list as JSON, for programs")
    parser.add_argument("--remote", action="store_true", help=told)
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List the traces; none at all is no error."""
    limit, offset = (None, 0) if arguments.all else (arguments.limit, arguments.limit * (arguments.page - 1))
    if arguments.remote:
        rows, total = remote_rows(arguments, context, limit=limit, offset=offset)
    else:
        rows, total = _local_rows(arguments, context, limit=limit, offset=offset)
        if note := where_runs_go(context):
            context.note(note)
    if arguments.json:
        context.terminal.write(json.dumps({"total": total, "traces": [row.data() for row in rows]}, indent=2) + "\n")
        return 0
    if not total:
        context.note(_why_none(arguments, context))
        return 0
    terminal = context.terminal
    terminal.write(
        render_list(
            rows,
            total,
            width=terminal.width if terminal.is_terminal else None,
            color=terminal.color,
            encoding=terminal.encoding,
            now=time.time(),
            zone=None,
            next_page=arguments.page + 1 if offset + len(rows) < total and not arguments.all else None,
        )
    )
    return 0


def _why_none(arguments: argparse.Namespace, context: Context) -> str:
    """Return the sentence for a list without a trace: whether there is none, or none that the options choose."""
    which = "No trace" if selection_of(arguments) == EVERYTHING else "No such trace"
    if arguments.remote:
        return f"{which} is at the service."
    others = StoreReader(context.home).count()
    more = f"; it has {counted(others, 'other')}" if others else " yet"
    meant = "" if arguments.tool is None else StoreReader(context.home).meant_tool(arguments.tool)
    return f"{which} has been recorded in {context.home}{more}.{meant}"


def _local_rows(arguments: argparse.Namespace, context: Context, *, limit: int | None, offset: int) -> tuple[list[ListedTrace], int]:
    absorb_local(context.home)
    reader = StoreReader(context.home)
    selection = selection_of(arguments)
    summaries = reader.summaries(selection, limit=-1 if limit is None else limit, offset=offset)
    return [row_of(summary) for summary in summaries], reader.count(selection)


def row_of(summary: TraceSummary) -> ListedTrace:
    """Return the line of the list for a trace."""
    started, active = microseconds(summary.started_at), microseconds(summary.active_at)
    asked = "" if summary.opening is None else asked_text(RecordedEvent(summary.opening), summary.calls)
    return ListedTrace(
        trace_id=summary.trace_id,
        agent_name=summary.agent_name,
        external_user_id=summary.external_user_id,
        active_at=active,
        duration_ms=0.0 if started is None or active is None else (active - started) / 1000,
        events=summary.events,
        calls=summary.calls,
        errors=summary.errors,
        tokens=summary.tokens_in + summary.tokens_out,
        asked=asked[:_MOST_OF_A_MESSAGE],
    )


COMMAND = Command(
    description="List the traces that were recorded on this machine, or with --remote those of the service, most recently active first.",
    epilog="`whyops show` accepts a trace's id; of a local trace also a prefix of it that no other trace has.",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
