"""A real gunicorn, with each kind of worker, and an application that has recorded something before the workers were forked."""

from __future__ import annotations

import signal
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import Service

APP = """
import time
import whyops

@whyops.tool
def inner(number):
    time.sleep(0.01)
    return number

@whyops.tool
def work(number):
    return inner(number)

sdk = whyops.WhyOps()
{at_import}

def app(environ, start_response):
    number = environ["PATH_INFO"].strip("/")
    with sdk.trace("request-" + number):
        work(number)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
"""

RECORD = 'with sdk.trace("master"), sdk.trace("master").tool_span("master"): pass'
WORKERS = {
    "sync": [],
    "gthread": ["-k", "gthread", "--threads", "4"],
    "gevent": ["-k", "gevent"],
}
AT_IMPORT = {"recorded": RECORD, "flushed": f"{RECORD}\nsdk.flush_sync(5)", "asked": "sdk.init_agent_sync()", "made": ""}
CASES = [(kind, "recorded", True) for kind in WORKERS] + [("gevent", how, True) for how in ("flushed", "asked", "made")]
REQUESTS = 24
SECONDS = 3.0
"""More than a request takes on a busy machine, and much less than the sender sleeps."""


@pytest.mark.parametrize("kind, at_import, preload", [*CASES, ("gevent", "recorded", False), ("sync", "recorded", False)])
def test_every_request_is_recorded_and_none_waits(service: Service, kind: str, at_import: str, preload: bool) -> None:  # noqa: FBT001
    """Each call arrives once, in the trace of its request; no request waits for delivery; on SIGTERM the workers end soon."""
    (service.folder / "app.py").write_text(APP.format(at_import=AT_IMPORT[at_import]))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = ["--preload"] if preload else []
    gunicorn = service.start("-m", "gunicorn", "-b", address, "-w", "2", *WORKERS[kind], *flags, "app:app")
    try:
        ask(address, "warm-0", until=time.monotonic() + 20)
        with ThreadPoolExecutor(3) as pool:
            took = list(pool.map(lambda number: ask(address, str(number)), range(REQUESTS)))
        assert service.end(gunicorn, signal.SIGTERM) < 10
        assert max(took) < SECONDS, service.log()
    finally:
        gunicorn.kill()
        gunicorn.wait()
    begun = at_import in {"recorded", "flushed"}
    calls = [call for call in service.calls(2 * REQUESTS + 2 + (begun if preload else 2 * begun)) if call.tool != "master"]
    outer = {call.span: call for call in calls if call.tool == "work"}
    assert sorted(call.trace for call in outer.values()) == sorted(["request-warm-0", *[f"request-{number}" for number in range(REQUESTS)]])
    assert {call.parent for call in outer.values()} == {None}
    for call in calls:
        if call.tool == "inner":
            assert call.trace == outer[call.parent or ""].trace


def ask(address: str, path: str, *, until: float = 0.0) -> float:
    """Make a request, tried again until somebody listens; return how long it took, with a pause in which the sender falls asleep."""
    while True:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://{address}/{path}", timeout=30) as answer:
                assert answer.read() == b"done"
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            took = time.monotonic() - began
            time.sleep(0.15)
            return took
