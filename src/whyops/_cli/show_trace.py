"""`whyops show`: one trace's decision path."""

from __future__ import annotations

import argparse
import json

from .._render.json import trace_data
from .._render.markdown import USUAL_BUDGET, render_brief
from .._render.terminal.tree import render_tree
from ._command import Command, Context
from ._local import add_local, alive_in, load
from ._values import budget


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("trace", metavar="ID", help="a trace id, a prefix of it, or 'last'")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--full", action="store_true", help="show every value in full")
    form.add_argument("--json", action="store_true", help="write the steps and all events as JSON, for programs")
    form.add_argument("--for-llm", action="store_true", help="write compact Markdown, to paste into a model")
    parser.add_argument(
        "--budget",
        type=budget,
        default=USUAL_BUDGET,
        metavar="N",
        help=f"maximum number of tokens for --for-llm, estimated (default: {USUAL_BUDGET})",
    )
    add_local(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the trace."""
    trace = load(arguments.trace, arguments, context)
    terminal = context.terminal
    if arguments.json:
        terminal.write(json.dumps(trace_data(trace), indent=2) + "\n")
    elif arguments.for_llm:
        terminal.write(render_brief(trace, budget=arguments.budget, encoding=terminal.encoding))
    else:
        terminal.write(
            render_tree(
                trace,
                width=terminal.width,
                color=terminal.color,
                full=arguments.full,
                encoding=terminal.encoding,
                zone=None,
                is_alive=alive_in(context.home),
            )
        )
    return 0


COMMAND = Command(
    name="show",
    summary="show what happened in a trace, step by step",
    description="Show a trace's decision path: what the user asked, what the model thought and requested, and what the tools returned. "
    "The bars compare latencies.",
    epilog="Examples: whyops show last --full; whyops show last --for-llm --budget 2000 | pbcopy",
    run=run,
    add_arguments=add_arguments,
)
