"""`whyops show`: one trace's decision path, or a part of it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, NoReturn

from .._printable import counted
from .._render.budget import USUAL_BUDGET
from ..errors import WhyOpsError
from . import _pager
from ._command import Command, Context
from ._local import add_local, alive_in, load
from ._values import budget, count

if TYPE_CHECKING:
    from .._trace.recorded import RecordedTrace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("trace", metavar="ID", help="a trace id, a prefix of it, or 'last'")
    what = parser.add_argument_group("what to show")
    what.add_argument("--errors", action="store_true", help="show only the steps that failed, and the way to them")
    what.add_argument("--depth", type=count, metavar="N", help="show only steps down to this depth; 1 are the user's messages")
    what.add_argument("--numbers", action="store_true", help="show the steps' and prompts' numbers, for --step and --prompt")
    form = what.add_mutually_exclusive_group()
    form.add_argument("--full", action="store_true", help="show every value in full")
    form.add_argument("--step", type=count, metavar="N", help="show one step with everything that is known of it")
    form.add_argument(
        "--prompt", type=count, metavar="N", help="show the N-th model call's prompt as the model saw it, + before what is new in it"
    )
    form.add_argument("--json", action="store_true", help="write the steps and all events as JSON, for programs")
    form.add_argument("--for-llm", action="store_true", help="write compact Markdown, to paste into a model")
    form.add_argument("--as-test", action="store_true", help="write a test in Python: the agent replayed, what it did as assertions")
    parser.add_argument(
        "--budget",
        type=budget,
        default=USUAL_BUDGET,
        metavar="N",
        help=f"maximum number of tokens for --for-llm, estimated (default: {USUAL_BUDGET})",
    )
    parser.add_argument("--no-pager", action="store_true", help="don't page what is longer than the screen through $PAGER or less")
    add_local(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the trace."""
    _check(arguments)
    trace = load(arguments.trace, arguments, context)
    text = _text(trace, arguments, context)
    if arguments.no_pager:
        context.terminal.write(text)
    else:
        _pager.show(context.terminal, text)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what would narrow down a tree that is not shown."""
    narrowed = arguments.errors or arguments.depth is not None or arguments.numbers
    if narrowed and (arguments.json or arguments.for_llm or arguments.as_test or arguments.step or arguments.prompt):
        raise WhyOpsError(
            "--errors, --depth and --numbers are about the tree, and don't go with --step, --prompt, --json, --for-llm or --as-test."
        )


def _text(trace: RecordedTrace, arguments: argparse.Namespace, context: Context) -> str:
    terminal = context.terminal
    if arguments.json:
        from .._render.json import trace_data  # noqa: PLC0415  (each form takes modules of its own)

        return json.dumps(trace_data(trace), indent=2) + "\n"
    if arguments.for_llm:
        from .._render.markdown import render_brief  # noqa: PLC0415  (as above)

        return render_brief(trace, budget=arguments.budget, encoding=terminal.encoding)
    if arguments.as_test:
        from .._render.as_test import render_test  # noqa: PLC0415  (as above)

        return render_test(trace).encode(terminal.encoding, "backslashreplace").decode(terminal.encoding)
    if arguments.step is not None:
        return _step(trace, arguments.step, context)
    if arguments.prompt is not None:
        return _prompt(trace, arguments.prompt, context)
    from .._render.terminal.selected import Wanted  # noqa: PLC0415  (as above)
    from .._render.terminal.tree import render_tree  # noqa: PLC0415  (as above)

    return render_tree(
        trace,
        width=terminal.width,
        color=terminal.color,
        full=arguments.full,
        encoding=terminal.encoding,
        zone=None,
        is_alive=alive_in(context.home),
        wanted=Wanted(arguments.depth, arguments.errors, arguments.numbers),
    )


def _step(trace: RecordedTrace, number: int, context: Context) -> str:
    from .._render.terminal.one_step import render_step  # noqa: PLC0415  (as above)

    terminal, look = context.terminal, alive_in(context.home)
    text = render_step(trace, number, width=terminal.width, color=terminal.color, encoding=terminal.encoding, zone=None, is_alive=look)
    return text if text is not None else _no_such(trace, "step", number, sum(1 for _ in trace.walk()))


def _prompt(trace: RecordedTrace, number: int, context: Context) -> str:
    from .._render.terminal.prompt import render_prompt  # noqa: PLC0415  (as above)

    terminal = context.terminal
    text = render_prompt(trace, number, width=terminal.width, color=terminal.color, encoding=terminal.encoding)
    return text if text is not None else _no_such(trace, "model call", number, len(trace.model_calls))


def _no_such(trace: RecordedTrace, what: str, number: int, there_are: int) -> NoReturn:
    raise WhyOpsError(
        f"There is no {what} {number:,}: trace {trace.trace_id!r} has {counted(there_are, what)}. `whyops show --numbers` numbers them."
    )


COMMAND = Command(
    description="Show a trace's decision path: what the user asked, what the model thought and requested, and what the tools returned. "
    "The bars compare latencies. On a terminal, what is longer than the screen goes through $PAGER, or else less.",
    epilog="Examples: whyops show last --full; whyops show last --errors; whyops show last --step 12; whyops show last --prompt 3; "
    "whyops show last --for-llm --budget 2000 | pbcopy; whyops show last --as-test > tests/test_refund.py",
    run=run,
    is_brief=True,
    add_arguments=add_arguments,
)
