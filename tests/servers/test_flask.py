"""Flask under gunicorn, whose views and streamed bodies are in the trace that a request names, where its sender is trusted."""

from __future__ import annotations

import signal
import socket

import pytest

from .conftest import Service, wait_for

pytest.importorskip("flask")

APP = """
import flask
import whyops
from whyops.integrations.wsgi import TraceMiddleware

app = flask.Flask(__name__)
app.wsgi_app = TraceMiddleware(app.wsgi_app)
whyops.configure(agent_name=None)

@whyops.tool
def look_up(number, where):
    return number

@app.route("/<int:number>")
def answer(number):
    look_up(number, "view")
    return (str(look_up(number, "body")) for _ in range(2))
"""

PROGRAM = """
import sys, urllib.request
from concurrent.futures import ThreadPoolExecutor
import whyops

@whyops.tool
def ask(number, headers=None):
    address = f"http://127.0.0.1:{sys.argv[1]}/{number}"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers or whyops.headers()), timeout=30) as answer:
        return answer.read().decode()

with whyops.trace("order-7"):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(whyops.bind_context(ask), range(1, 9))) == [str(number) * 2 for number in range(1, 9)]
    assert ask(9, {"baggage": "whyops.trace=order-7,whyops.span=forged"}) == "99"
"""

REQUESTS = 8


WORKERS = {"sync": [], "gthread": ["--threads", "4"], "gevent": []}


@pytest.mark.parametrize("kind", WORKERS)
def test_requests_at_once(service: Service, kind: str) -> None:
    """What view and body record hangs under the call that its request was sent from; of a forged request it is a trace of its own."""
    (service.folder / "app.py").write_text(APP)
    (service.folder / "program.py").write_text(PROGRAM)
    service.environment["WHYOPS_TRUST_SECRET"] = "one-secret-for-all"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gunicorn = service.start("-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", "-k", kind, *WORKERS[kind], "app:app")
    try:
        wait_for(port, gunicorn)
        service.run("program.py", str(port))
        service.end(gunicorn, signal.SIGTERM)
    finally:
        gunicorn.kill()
        gunicorn.wait()
    calls = service.calls(4 * (REQUESTS + 1))
    asked = {call.span: call.arguments["number"] for call in calls if call.tool == "ask"}
    looked_up = [call for call in calls if call.tool == "look_up"]
    trusted = [call for call in looked_up if call.trace == "order-7"]
    assert [call.arguments["number"] for call in looked_up if call not in trusted] == [9] * 3
    assert len(trusted) == 3 * REQUESTS
    assert all(asked[call.parent or ""] == call.arguments["number"] for call in trusted)
    assert service.not_continued() == {"untrusted": 1}
