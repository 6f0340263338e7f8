"""Real web servers that are told to end: with a lifespan all is delivered, without one what was recorded before a pause."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server import StrictServer

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


APP = """
import whyops
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from whyops.integrations.asgi import lifespan

sdk = whyops.configure(outbox="memory")

@whyops.tool
def double(number):
    return 2 * number

async def home(request):
    async with whyops.trace() as trace:
        await trace.user_message([{"role": "user", "content": "hi"}])
        return PlainTextResponse(str(double(2)))

@asynccontextmanager
async def own(app):
    async with lifespan():
        yield {"key": "value"}

@asynccontextmanager
async def by_hand(app):
    yield
    await sdk.flush()

routes = [Route("/", home)]
bare = Starlette(routes=routes)
ready = Starlette(routes=routes, lifespan=lifespan)
inside = Starlette(routes=routes, lifespan=own)
written = Starlette(routes=routes, lifespan=by_hand)
"""


@contextmanager
def serving(server: StrictServer, folder: Path, application: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the application under uvicorn, and give the process and its address."""
    (folder / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "WHYOPS_API_KEY": "whyops_test",
        "WHYOPS_AGENT_NAME": "agent",
        "WHYOPS_ANALYSE_BASE_URL": server.url,
        "WHYOPS_PROXY_BASE_URL": server.proxy_url,
    }
    command = [sys.executable, "-m", "uvicorn", f"app:{application}", "--port", str(port), *options]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process, f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def ask(address: str, times: int) -> None:
    """Ask so many times, once it answers."""
    for _ in range(times):
        until = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(address, timeout=20) as answer:
                    assert answer.read() == b"4"
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)


@pytest.mark.parametrize("application", ["ready", "inside", "written"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_with_a_lifespan_all_is_delivered(server: StrictServer, tmp_path: Path, application: str, how: signal.Signals) -> None:
    """Though it was in memory, and the signal came right after the last answer."""
    with serving(server, tmp_path, application) as (process, address):
        ask(address, 5)
        process.send_signal(how)
        output, _ = process.communicate(timeout=30)
    assert len(server.events) == 15, output
    assert "Traceback" not in output


def test_with_several_workers(server: StrictServer, tmp_path: Path) -> None:
    """Each delivers its own."""
    with serving(server, tmp_path, "ready", "--workers", "2") as (process, address):
        ask(address, 10)
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert len(server.events) == 30, output


def test_without_one_a_pause_is_enough(server: StrictServer, tmp_path: Path) -> None:
    """No exit hook runs then, so what was recorded is not kept until one does; the signal ends the server as if we were not there."""
    with serving(server, tmp_path, "bare") as (process, address):
        ask(address, 5)
        server.wait_for_events(15)
        process.terminate()
        process.communicate(timeout=30)
    assert len(server.events) == 15
    assert process.returncode in (0, -signal.SIGTERM)
