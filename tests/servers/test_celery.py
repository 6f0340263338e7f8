"""A real Celery worker, whose broker and results are files: its tasks' calls are in the trace whose id was sent along."""

from __future__ import annotations

import signal

import pytest

from .conftest import Service

APP = """
import pathlib
import celery
import whyops

folder = pathlib.Path(__file__).parent
for name in ("queue", "results", "control"):
    (folder / name).mkdir(exist_ok=True)
app = celery.Celery("tasks", broker="filesystem://", backend=f"file://{folder / 'results'}")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue"), "control_folder": str(folder / "control")
    },
    worker_proc_alive_timeout=30,
)
whyops.configure(redact_keys=["iban"])

@whyops.tool
def inner(number):
    return number + 1

@app.task
@whyops.tool
def work(number, iban="DE-0123"):
    return 2 * inner(number)

@app.task
def work_in(trace_id, number):
    with whyops.trace(trace_id):
        return work(number)
"""

PROGRAM = """
import tasks, whyops

with whyops.trace("run") as trace:
    waiting = [tasks.work_in.delay(trace.id, number) for number in range(6)]
alone = [tasks.work.delay(number) for number in range(6)]
for results in (waiting, alone):
    assert [each.get(timeout=30) for each in results] == [2, 4, 6, 8, 10, 12]
"""


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_the_calls_of_tasks(service: Service, pool: str) -> None:
    """A task's calls are in the trace that it opens, else in one of their own, each once; the worker ends soon on SIGTERM."""
    (service.folder / "tasks.py").write_text(APP)
    (service.folder / "program.py").write_text(PROGRAM)
    flags = ["--pool", pool, "--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    worker = service.start("-m", "celery", "-A", "tasks", "worker", *flags)
    try:
        service.run("program.py")
        assert service.end(worker, signal.SIGTERM) < 15
    finally:
        worker.kill()
        worker.wait()
    calls = service.calls(2 * 12)
    work = {call.span: call for call in calls if call.tool == "work"}
    traces = [call.trace for call in work.values()]
    assert traces.count("run") == 6
    assert len(set(traces)) == 1 + 6
    assert {call.parent for call in work.values()} == {None}
    assert {call.arguments["iban"] for call in work.values()} == {"[redacted]"}
    for call in calls:
        if call.tool == "inner":
            assert call.trace == work[call.parent or ""].trace
