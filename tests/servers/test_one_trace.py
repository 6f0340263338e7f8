"""A trace that crosses a FastAPI server (a streamed answer), a Celery worker and a LangGraph node is one tree."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import time

import pytest

import whyops

from .conftest import Service

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("fastapi", "langgraph", "uvicorn"))), reason="needs fastapi, langgraph and uvicorn"
)

TASKS = """
import os, pathlib
import celery
import whyops
from langgraph.graph import START, StateGraph
from typing import TypedDict
from whyops.integrations.langchain import WhyOpsCallbackHandler

folder = pathlib.Path(__file__).parent
for name in ("queue", "results", "control"):
    (folder / name).mkdir(exist_ok=True)
app = celery.Celery("tasks", broker="filesystem://", backend=f"file://{folder / 'results'}")
app.conf.update(broker_transport_options={
    "data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue"), "control_folder": str(folder / "control")
})
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

@app.task(bind=True)
def work(self, number):
    with whyops.continued(self.request.headers):
        return in_graph(number)

@whyops.tool
def in_graph(number):
    return compiled.invoke({"number": number}, {"callbacks": [WhyOpsCallbackHandler()]})["number"]
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
    return tasks.work.apply_async((number,), headers=whyops.headers()).get(timeout=30)

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
    with urllib.request.urlopen(request, timeout=40) as answer:
        return answer.read().decode()

with whyops.trace("order-7"):
    assert ask_web(21) == "answer: 42", ask_web(21)
"""

TREE = ["ask_web", "ask_worker", "in_graph", "double"]


def crossed(service: Service) -> None:
    """Run the three programs, and end the servers."""
    for name, text in (("tasks", TASKS), ("web", WEB), ("program", PROGRAM)):
        (service.folder / f"{name}.py").write_text(text)
    service.environment["WHYOPS_TRUST_SECRET"] = "one-secret-for-all"
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    flags = ["--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    running = [
        service.start("-m", "celery", "-A", "tasks", "worker", *flags),
        service.start("-m", "uvicorn", "web:app", "--port", str(port), "--log-level", "warning"),
    ]
    try:
        _wait_for(port, running[1])
        service.run("program.py", str(port))
        for server in running:
            service.end(server, signal.SIGTERM)
    finally:
        for server in running:
            server.kill()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not _listens(port) and time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("workers_name", ["", "worker"], ids=["one agent", "two agents"])
def test_at_the_service(service: Service, workers_name: str) -> None:
    """With one agent's name it is one trace; another agent has a trace of its own, whose events name the span they come from."""
    service.environment["WORKERS_NAME"] = workers_name
    crossed(service)
    calls = service.calls(len(TREE))
    span = {call.tool: call.span for call in calls}
    assert {call.tool: call.parent for call in calls} == dict(zip(TREE, [None, *(span[tool] for tool in TREE)], strict=False))
    traces = {call.tool: call.trace for call in calls}
    if not workers_name:
        assert set(traces.values()) == {"order-7"}
        return
    assert traces["ask_web"] == traces["ask_worker"] == "order-7"
    assert traces["in_graph"] == traces["double"] != "order-7"
    origin = {event["metadata"].get("parentTraceId") for event in service.events() if event["traceId"] == traces["double"]}
    assert origin == {"order-7"}


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
