"""`whyops sampling`: the share of an agent's traces that the service keeps; reads it, and sets it."""

from __future__ import annotations

import argparse
import sys

from .._render.format import share_text
from .._service.account import Agent, look_up, set_sampling_rate
from .._service.questions import Questions
from ..errors import ConfigurationError, WhyOpsError
from ._command import Command, Context
from ._service import Service, required_service
from ._values import share

NOT_ASKED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "share",
        nargs="?",
        type=share,
        metavar="SHARE",
        help="the share to keep from now on, from 0 to 1 (1 is all) or in percent, such as 0.5 or 50%% (default: show it)",
    )
    parser.add_argument("--agent", metavar="NAME", help="the agent (default: WHYOPS_AGENT_NAME)")
    parser.add_argument("--yes", action="store_true", help="don't ask before changing it")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the share, or change it. Exit code 1 if the user says no, 2 if there is nobody to ask."""
    service = required_service(context.home)
    name = _name(arguments, service)
    with service.reader().questions() as questions:
        agent = look_up(questions, name).agent
        if agent is None:
            raise WhyOpsError(f"The service has no agent {name!r}: its first event creates it, and then its share can be set.")
        if arguments.share is None:
            context.print(_sentence(agent))
            return 0
        return _change(questions, agent, arguments.share, context, asks=not arguments.yes)


def _name(arguments: argparse.Namespace, service: Service) -> str:
    name: str | None = arguments.agent or service.settings.agent_name
    if name is None:
        raise ConfigurationError("Which agent? Pass --agent NAME, or set WHYOPS_AGENT_NAME.")
    return name


def _sentence(agent: Agent) -> str:
    if agent.sampling_rate is None:
        return f"The service does not tell which share of the traces of {agent.name} it keeps."
    return f"The service keeps {share_text(agent.sampling_rate)} of the traces of {agent.name}."


def _change(questions: Questions, agent: Agent, wanted: float, context: Context, *, asks: bool) -> int:
    if agent.sampling_rate == wanted:
        context.print(f"{_sentence(agent)} Nothing is to be changed.")
        return 0
    if asks:
        if not sys.stdin.isatty():
            context.note("whyops: There is no terminal to ask whether the share is to be changed: pass --yes.")
            return NOT_ASKED
        if not _is_confirmed(f"{_sentence(agent)} Keep {share_text(wanted)} of its new traces?", context):
            context.note("Nothing was changed.")
            return 1
    set_sampling_rate(questions, agent, wanted)
    context.print(f"The service now keeps {share_text(wanted)} of the new traces of {agent.name}.")
    return 0


def _is_confirmed(question: str, context: Context) -> bool:
    print(context.terminal.printable(question), end=" [y/N] ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


COMMAND = Command(
    description="Show the share of an agent's traces that the service keeps, or set it for new traces, with the key in WHYOPS_API_KEY. "
    "The trace's id decides which are kept.",
    epilog="Examples: whyops sampling; whyops sampling 100% --agent support --yes",
    run=run,
    add_arguments=add_arguments,
)
