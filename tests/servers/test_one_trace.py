"""A trace that crosses a FastAPI server (a streamed answer), a Celery worker, an MCP server over HTTP and a LangGraph node is one tree."""

from __future__ import annotations

import importlib.util
import signal
import socket
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

import whyops
from tests.server.otlp import OtlpServer

from .conftest import Service, wait_for

T = TypeVar("T")

NEEDED = ("fastapi", "langgraph", "mcp", "uvicorn")
pytestmark = [
    pytest.mark.skipif(not all(map(importlib.util.find_spec, NEEDED)), reason="needs fastapi, langgraph, mcp and uvicorn"),
    pytest.mark.timeout(180),  # six processes, of which some load much
]

GRAPH = """
import os
from typing import TypedDict
import whyops
from langgraph.graph import START, StateGraph
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.integrations.mcp import instrument
try:
    from mcp.server import MCPServer
except ImportError:  # its name before 2.0
    from mcp.server.fastmcp import FastMCP as MCPServer
whyops.configure(agent_name=os.environ.get("WORKERS_NAME") or None)

class State(TypedDict):
    number: int

@whyops.tool
def double(number):
    return 2 * number

graph = StateGraph(State)
graph.add_node("double", lambda state: {"number": double(state["number"])})
graph.add_edge(START, "double")
compiled = graph.compile()
server = MCPServer("numbers", log_level="CRITICAL")

@server.tool()
@whyops.tool
async def in_graph(number: int) -> int:
    return (await compiled.ainvoke({"number": number}, {"callbacks": [WhyOpsCallbackHandler()]}))["number"]

app = instrument(server).streamable_http_app()
"""

TASKS = """
import asyncio, os, pathlib
import celery, mcp
import whyops
from mcp.client.streamable_http import streamable_http_client
from whyops.integrations.mcp import recorded_session

folder = pathlib.Path(__file__).parent
for name in ("queue", "results", "control"):
    (folder / name).mkdir(exist_ok=True)
app = celery.Celery("tasks", broker="filesystem://", backend=f"file://{folder / 'results'}")
app.conf.update(broker_transport_options={
    "data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue"), "control_folder": str(folder / "control")
}, worker_proc_alive_timeout=30)
whyops.configure(agent_name=os.environ.get("WORKERS_NAME") or None)

@app.task(bind=True)
def work(self, number):
    with whyops.continued(self.request.headers):
        return ask_graph(number)

@whyops.tool
def ask_graph(number):
    return asyncio.run(in_graph(number))

async def in_graph(number):
    url = f"http://127.0.0.1:{os.environ['GRAPHS_PORT']}/mcp"
    async with streamable_http_client(url) as streams, mcp.ClientSession(*streams[:2]) as session:
        await session.initialize()
        answer = await recorded_session(session).call_tool("in_graph", {"number": number})
        return int(answer.content[0].text)
"""

WEB = """
import whyops
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from whyops.integrations.asgi import TraceMiddleware, lifespan
import tasks
whyops.configure(agent_name=None)

app = FastAPI(lifespan=lifespan)
app.add_middleware(TraceMiddleware)

@whyops.tool
def ask_worker(number):
    return tasks.work.apply_async((number,), headers=whyops.headers()).get(timeout=100)

def stream(number):
    yield "answer: "
    yield str(ask_worker(number))

@app.get("/{number}")
def answer(number: int):
    return StreamingResponse(stream(number))
"""

PROGRAM = """
import sys, urllib.request
import whyops

@whyops.tool
def ask_web(number):
    request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/{number}", headers=whyops.headers())
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read().decode()

with whyops.trace("order-7"):
    assert ask_web(21) == "answer: 42", ask_web(21)
"""

TREE = ["ask_web", "ask_worker", "ask_graph", "in_graph", "in_graph", "double"]
"""The fourth is the call of MCP's client, the fifth its server's."""


def crossed(service: Service) -> None:
    """Run the program and the three servers, and end the servers."""
    for name, text in (("graph", GRAPH), ("tasks", TASKS), ("web", WEB), ("program", PROGRAM)):
        (service.folder / f"{name}.py").write_text(text)
    web, graph = _free_ports()
    service.environment |= {"WHYOPS_TRUST_SECRET": "one-secret-for-all", "GRAPHS_PORT": str(graph)}
    flags = ["--pool", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    running = [
        service.start("-m", "celery", "-A", "tasks", "worker", *flags),
        service.start("-m", "uvicorn", "web:app", "--port", str(web), "--log-level", "warning"),
        service.start("-m", "uvicorn", "graph:app", "--port", str(graph), "--log-level", "warning"),
    ]
    try:
        for port, server in zip((web, graph), running[1:], strict=True):
            wait_for(port, server)
        service.run("program.py", str(web), seconds=140)
        for server in running:
            server.send_signal(signal.SIGTERM)
        for server in running:
            server.wait(60)
    finally:
        for server in running:
            server.kill()
            server.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.mark.parametrize("workers_name", ["", "worker"], ids=["one agent", "two agents"])
def test_at_the_service(service: Service, workers_name: str) -> None:
    """With one agent's name it is one trace; another agent has a trace of its own, whose events name the span they come from."""
    service.environment["WORKERS_NAME"] = workers_name
    crossed(service)
    calls = _path({call.parent: call for call in service.calls(len(TREE))}, None, lambda call: call.span)
    assert [call.tool for call in calls] == TREE
    traces = [call.trace for call in calls]
    assert not service.not_continued()
    if not workers_name:
        assert set(traces) == {"order-7"}
        return
    assert traces[:2] == ["order-7"] * 2
    assert len(set(traces[2:])) == 1
    assert traces[2] != "order-7"
    assert {event["metadata"].get("parentTraceId") for event in service.events() if event.get("spanId") == calls[2].span} == {"order-7"}
    service.run("-m", "whyops", "show", traces[2])
    assert "part of trace order-7" in service.log()


def _path(within: dict[Any, T], outermost: object, id_of: Callable[[T], object]) -> list[T]:
    """Return calls or spans, given by what they are in, from the outermost in: each holds the next one, and only that."""
    path, around = [], outermost
    while around in within:
        path.append(within[around])
        around = id_of(path[-1])
    assert len(path) == len(within)
    return path


@pytest.mark.parametrize("workers_name", ["", "worker"], ids=["one agent", "two agents"])
def test_locally(service: Service, workers_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key it is one tree in one trace, whatever the agents are called."""
    service.environment["WORKERS_NAME"] = workers_name
    del service.environment["WHYOPS_API_KEY"]
    crossed(service)
    monkeypatch.setenv("WHYOPS_HOME", service.environment["WHYOPS_HOME"])
    steps, path = list(whyops.load_trace("order-7").walk()), []
    (step,) = whyops.load_trace("order-7").steps
    while True:
        path.append(step.first.metadata["tool"])
        if not step.children:
            break
        (step,) = step.children
    assert path == TREE
    assert len(steps) == len(TREE)
    assert len({event.metadata["runId"] for step in steps for event in step.events}) == 1


@pytest.mark.parametrize("workers_name", ["", "worker"], ids=["one agent", "two agents"])
def test_as_spans(service: Service, workers_name: str) -> None:
    """A receiver of OpenTelemetry spans takes every request: one tree in one trace, each call once.

    The span around the turn has one id, whichever processes send it as they end.
    """
    service.environment["WORKERS_NAME"] = workers_name
    del service.environment["WHYOPS_API_KEY"]
    with OtlpServer() as receiver:
        service.environment |= {"WHYOPS_OTLP": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}"}
        crossed(service)
        service.run("-m", "whyops", "deliver")
    assert set(receiver.statuses) == {200}
    assert len({span.trace_id for span in receiver.spans}) == 1
    turn, *calls = _path({span.parent_span_id: span for span in receiver.spans}, b"", lambda span: span.span_id)
    assert turn.name == "invoke_agent servers"
    assert [span.name for span in calls] == [f"execute_tool {tool}" for tool in TREE]
    assert [receiver.came[span.span_id] for span in calls] == [1] * len(TREE)


def test_as_spans_beside_the_service(service: Service) -> None:
    """Also of two agents, of which each keeps a trace of its own at the service, a receiver of spans gets one tree."""
    service.environment["WORKERS_NAME"] = "worker"
    with OtlpServer() as receiver:
        service.environment |= {"WHYOPS_OTLP": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}"}
        crossed(service)
        service.run("-m", "whyops", "deliver")
    assert set(receiver.statuses) == {200}
    spans = {span.span_id: span for span in receiver.spans}
    (span,) = (span for span in spans.values() if span.name == f"execute_tool {TREE[-1]}")
    path = [span]
    while path[-1].parent_span_id in spans:
        path.append(spans[path[-1].parent_span_id])
    assert not path[-1].parent_span_id
    assert [span.name for span in reversed(path) if span.name.startswith("execute_tool ")] == [f"execute_tool {tool}" for tool in TREE]
    assert len({span.trace_id for span in spans.values()}) == 1
