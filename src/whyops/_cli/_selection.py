"""The options that select recorded traces, the same in each command that has them."""

from __future__ import annotations

import argparse

from .._listing.moments import sortable_moment
from .._store.reader import Selection, StoreReader
from ._values import moment


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("select traces")
    group.add_argument("--errors", action="store_true", help="only traces with an error")
    group.add_argument("--user", metavar="ID", help="only traces of this user")
    group.add_argument("--tool", metavar="NAME", help="only traces that called this tool")
    group.add_argument(
        "--agent", metavar="NAME", help="only traces that this agent recorded, or in which a framework's agent of this name acted"
    )
    group.add_argument("--node", metavar="NAME", help="only traces in which this node of a graph, step of a workflow, or middleware acted")
    group.add_argument("--since", type=moment, metavar="WHEN", help="only traces active since: 30m, 12h, 7d, or a date such as 2026-11-20")
    group.add_argument("--until", type=moment, metavar="WHEN", help="only traces that were last active before, given in the same way")


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Return which traces are selected."""
    return Selection(
        errors=arguments.errors,
        external_user_id=arguments.user,
        agent_name=arguments.agent,
        tool=arguments.tool,
        node=arguments.node,
        since=sortable_moment(arguments.since),
        until=sortable_moment(arguments.until),
    )


def selected_ids(arguments: argparse.Namespace, reader: StoreReader) -> list[str]:
    """Return the ids that were given, else those of all selected traces, the oldest first."""
    if arguments.traces:
        return [reader.resolve(wanted) for wanted in arguments.traces]
    return reader.trace_ids(selection_of(arguments))[::-1]
