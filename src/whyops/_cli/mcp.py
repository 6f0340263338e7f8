"""`whyops mcp`: the recorded traces for coding agents, over the Model Context Protocol."""

from __future__ import annotations

import argparse

from ..errors import ConfigurationError
from ._command import Command, Context
from ._local import add_local
from ._service import service_of


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Serve until the client has gone."""
    from .._mcp.answers import Answers  # noqa: PLC0415  (loads what no other command needs)
    from .._mcp.server import make_server  # noqa: PLC0415  (as above)

    service = None if arguments.local else service_of(context.home)
    try:
        server = make_server(Answers(context.home, None if service is None else service.reader()))
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    if context.terminal.is_terminal:
        context.note("This speaks MCP on standard input and output: have a coding agent start it. Ctrl-C ends it.")
    server.run("stdio")
    return 0


COMMAND = Command(
    description="Serve the recorded traces to a coding agent, over MCP on standard input and output: list, search, show, a model's prompt, "
    "diff. Reads only; what it hands out is marked as recorded material.",
    epilog='To be started by the coding agent: {"mcpServers": {"whyops": {"command": "whyops", "args": ["mcp"]}}}',
    run=run,
    add_arguments=add_local,
)
