"""An agent that the service has never heard of: each of its events arrives, whoever starts it, and however many at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.interpreter import STRICT, with_service
from tests.server import Limits, StrictServer
from tests.server.client import Client

PROJECT = Path(__file__).parents[2]
FIRST_BLOCK = (PROJECT / "README.md").read_text("utf-8").partition("```python\n")[2].partition("```")[0]

ROUNDS = 20
SAID_PROMPT = "Be kind."

AGENT = """
import sys, whyops
for name in sys.stdin:
    sdk = whyops.WhyOps(agent_name=name.strip(), agent_metadata=METADATA)
    for number in range(3):
        with sdk.trace(f"{name.strip()} {OWN} {number}") as trace:
            trace.user_message_sync([{"role": "system", "content": f"You are number {number}."}, {"role": "user", "content": "Hello!"}])
            trace.llm_response_sync("m", "p", "Hello.")
    print(sdk.flush_sync(timeout=10).delivered, flush=True)
    sdk.close_sync()
"""
"""Records three traces for each agent that it is told of, each with a system message of its own, in one batch."""

ALL_OF_IT = 6


class Agents:
    """Programs that wait to be told an agent's name, and begin together."""

    def __init__(self, server: StrictServer, folder: Path, *metadata: dict[str, Any] | None, apart: bool = False) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-c", f"METADATA = {given!r}\nOWN = {number}\n{AGENT}"],
                env=with_service(server, folder / str(number) if apart else folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, given in enumerate(metadata)
        ]

    def begin(self, name: str) -> list[int]:
        """Let all of them be this agent; gives how many events each of them has delivered."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
        return [int(process.stdout.readline()) for process in self._processes if process.stdout is not None]

    def end(self) -> None:
        """End them, as they have nothing more to do."""
        for process in self._processes:
            process.communicate(timeout=20)
            assert process.returncode == 0


def events_of(server: StrictServer, agent: str, process: int) -> list[dict[str, Any]]:
    """Give what the service has of one process' events of an agent."""
    return [event for event in server.events if event["traceId"].startswith(f"{agent} {process} ")]


def run(server: StrictServer, home: Path, *arguments: str) -> str:
    """Run Python as a user with a key does, and return what it printed; nothing goes wrong."""
    environment = with_service(server, home, WHYOPS_AGENT_NAME="shop-support", PYTHONUTF8="1", COLUMNS="80")
    done = subprocess.run([*STRICT, *arguments], env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_first_code_of_the_readme_with_a_key(server: StrictServer, tmp_path: Path) -> None:
    """It describes no agent, and nobody has: all four events of it arrive, and `show` reads them from the service."""
    run(server, tmp_path, "-c", FIRST_BLOCK)
    kinds = ["user_message", "tool_call_request", "tool_call_response", "llm_response"]
    assert [event["eventType"] for event in server.events] == kinds
    shown = run(server, tmp_path, "-m", "whyops", "show", server.events[0]["traceId"])
    for text in ("Where is order 123?", "search_orders", "shipped", "gpt-4o-mini"):
        assert text in shown


def test_the_demo_with_a_key(server: StrictServer, tmp_path: Path) -> None:
    """Two traces with system messages of their own, begun before the agent is known: 10 events and 18, of which 10 once arrived."""
    run(server, tmp_path, str(PROJECT / "examples" / "quickstart.py"))
    assert len(server.events) == 28
    assert sorted(len(trace.rows) for trace in server.service.traces.values()) == [10, 18]


def test_many_traces_in_the_first_batch(server: StrictServer) -> None:
    """Each with another system message, all begun before the first of them is sent; later events of each arrive too."""
    with whyops.WhyOps("whyops_test", "agent", None, server.proxy_url, server.url) as sdk:
        traces = [sdk.trace(f"t{number}") for number in range(20)]
        for number, trace in enumerate(traces):
            trace.user_message_sync([{"role": "system", "content": f"You are number {number}."}, {"role": "user", "content": "Hello!"}])
        first = sdk.flush_sync()
        for trace in traces:
            trace.llm_response_sync("m", "p", "Hello.")
        last = sdk.flush_sync()
    assert (first.delivered, last.delivered, last.rejected, last.waiting) == (20, 40, 0, 0)
    assert len(server.events) == 40
    assert len({event["traceId"] for event in server.ingested[0].events}) > 1


@pytest.mark.parametrize("apart", [False, True])
def test_two_processes_that_describe_nothing(tmp_path: Path, *, apart: bool) -> None:
    """They start together, with a home that they share or each with its own: all events of both arrive, in each of twenty rounds."""
    with StrictServer(limits=Limits(agents=None)) as server:
        agents = Agents(server, tmp_path, None, None, apart=apart)
        for number in range(ROUNDS):
            assert agents.begin(f"agent-{number}") == [ALL_OF_IT, ALL_OF_IT]
            assert [len(events_of(server, f"agent-{number}", process)) for process in (0, 1)] == [ALL_OF_IT, ALL_OF_IT]
        agents.end()


def test_one_process_describes_the_agent_and_one_does_not(tmp_path: Path) -> None:
    """They start together: all that the first one records arrives, and its description is in force in the end, in each of twenty rounds."""
    with StrictServer(limits=Limits(agents=None)) as server:
        agents = Agents(server, tmp_path, {"systemPrompt": SAID_PROMPT}, None)
        client = Client(server)
        for number in range(ROUNDS):
            delivered, _ = agents.begin(f"agent-{number}")
            assert delivered == ALL_OF_IT
            assert len(events_of(server, f"agent-{number}", 0)) == ALL_OF_IT
            assert client.init(SAID_PROMPT, f"agent-{number}")["status"] == "existing"
        agents.end()
        described = [json.loads(request.body)["metadata"]["systemPrompt"] for request in server.inits if request.status == 201]
        assert set(described) <= {SAID_PROMPT, "Not given."}
