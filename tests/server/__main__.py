"""Run the strict server in a process of its own: prints its port, then serves until its standard input ends.

`POST /_script/ACTION` with the arguments as a JSON object scripts a fault, or sets `latency`, `latency_per_event` or `max_body`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from .answer import NOT_FOUND, Answer, Raw
from .request import Request
from .server import StrictServer
from .service import Limits

_ACTIONS = frozenset(["fail", "cut", "hang", "slow", "clear", "away"])
_SETTINGS = frozenset(["latency", "latency_per_event", "max_body"])


class ScriptedServer(StrictServer):
    """A strict server that is scripted by requests."""

    def _respond(self, request: Request) -> Answer | Raw | None:
        if not request.path.startswith("/_script/"):
            return super()._respond(request)
        action = request.path.removeprefix("/_script/")
        arguments = request.json() if request.body else {}
        if action == "away":
            threading.Timer(0.05, self.away, kwargs=arguments).start()  # after this answer
        elif action in _ACTIONS:
            getattr(self, action)(**arguments)
        elif action == "set":
            for name in arguments.keys() & _SETTINGS:
                setattr(self, name, arguments[name])
        else:
            return NOT_FOUND
        return Answer(200, {"success": True})


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.server", description="A strict stand-in for the WhyOps service.")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 lets the system choose")
    parser.add_argument("--journal", type=Path, help="folder for events.jsonl and requests.jsonl")
    parser.add_argument("--queue", action="store_true", help="answer events with 202")
    parser.add_argument("--keep-alive", type=float, default=5.0, help="seconds until an idle connection is closed")
    parser.add_argument("--agents", type=int, default=2, help="limit of agents for each account")
    parser.add_argument("--sampling-rate", type=float, default=1.0, help="part of the traces that is kept")
    options = parser.parse_args()
    limits = Limits(agents=options.agents, sampling_rate=options.sampling_rate)
    server = ScriptedServer(port=options.port, limits=limits, queue=options.queue, keep_alive=options.keep_alive, journal=options.journal)
    with server:
        print(server.port, flush=True)  # noqa: T201 - the answer to whoever started it
        sys.stdin.read()


if __name__ == "__main__":
    main()
