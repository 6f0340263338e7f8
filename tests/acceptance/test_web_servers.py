"""Traces in a web application: Starlette and FastAPI, under a real uvicorn."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

import whyops
from whyops._recording.open_generators import open_generators
from whyops.testing import Captured, capture

fastapi = pytest.importorskip("fastapi", reason="installed by the sessions that test with web servers")
uvicorn = pytest.importorskip("uvicorn", reason="installed by the sessions that test with web servers")

from fastapi import BackgroundTasks, Depends, FastAPI  # noqa: E402  (after it is known to be there)
from fastapi.responses import StreamingResponse  # noqa: E402
from starlette.middleware.base import BaseHTTPMiddleware  # noqa: E402


@whyops.tool
def look_up(key: str) -> str:
    return key


@whyops.tool
async def look_up_later(key: str) -> str:
    return look_up(key)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application in a thread, and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, http="h11", ws="none", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capture() as recorded:
        yield recorded


def calls(captured: Captured) -> dict[str, list[tuple[str, str | None]]]:
    """Return the calls of each trace: the key that was looked up, or the tool's name, and the same of the call around it."""
    requests = captured.of_type("tool_call_request")
    names = {event["spanId"]: _name(event) for event in requests}
    found: dict[str, list[tuple[str, str | None]]] = {}
    for event in requests:
        found.setdefault(event["traceId"], []).append((_name(event), names.get(event["metadata"].get("parentSpanId", ""))))
    return found


def _name(event: dict[str, Any]) -> str:
    (call,) = event["content"]["toolCalls"]
    return str(call["arguments"].get("key", call["name"]))


def stream(name: str, steps: int = 3) -> Iterator[str]:
    """Hold a trace and a span open over several steps."""
    with whyops.trace(name) as trace:
        look_up(f"{name} first")
        yield "first\n"
        with trace.tool_span(f"{name} span"):
            for step in range(steps):
                look_up(f"{name} {step}")
                yield f"{step}\n"
                time.sleep(0.001)
        look_up(f"{name} last")
        yield "last\n"


async def stream_async(name: str, steps: int = 3) -> AsyncIterator[str]:
    """Do the same in an asynchronous generator, with calls in tasks of their own."""
    async with whyops.trace(name) as trace:
        await look_up_later(f"{name} first")
        yield "first\n"
        async with trace.tool_span(f"{name} span"):
            for step in range(steps):
                await look_up_later(f"{name} {step}")
                yield f"{step}\n"
                await asyncio.sleep(0.001)
        await look_up_later(f"{name} last")
        yield "last\n"


def one_stream(name: str, steps: int = 3) -> list[tuple[str, str | None]]:
    """Return what is recorded of one."""
    inside = [(f"{name} {step}", f"{name} span") for step in range(steps)]
    return [(f"{name} first", None), (f"{name} span", None), *inside, (f"{name} last", None)]


def without_repeats(found: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Leave out what an asynchronous tool looks up by the other one: both have the same key."""
    return [call for call in found if call[0] != call[1]]


def streaming_app() -> FastAPI:
    app = FastAPI()

    @app.get("/sync/{name}")
    def answer(name: str) -> StreamingResponse:
        return StreamingResponse(stream(name))

    @app.get("/async/{name}")
    async def answer_async(name: str) -> StreamingResponse:
        return StreamingResponse(stream_async(name))

    @app.get("/endless/{kind}/{name}")
    def endless(kind: str, name: str) -> StreamingResponse:
        return StreamingResponse(stream(name, 10_000) if kind == "sync" else stream_async(name, 10_000))

    @app.get("/plain/{name}")
    async def plain(name: str) -> str:
        assert whyops.current_trace() is None
        return await look_up_later(name)

    return app


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_block_holds_in_each_step_of_a_streamed_answer(captured, kind):
    """Calls in every step are in the block's trace and under its span, in whatever thread and context a step is taken."""
    with served(streaming_app()) as url:
        assert httpx.get(f"{url}/{kind}/one").text == "first\n0\n1\n2\nlast\n"
    assert {trace: without_repeats(found) for trace, found in calls(captured).items()} == {"one": one_stream("one")}
    assert not open_generators


def test_many_streams_at_once_are_kept_apart(captured):
    """Each of several streams that are answered at the same time is in its own trace, beside requests without one."""
    names = [f"{kind}/{kind}-{number}" for number in range(6) for kind in ("sync", "async", "plain")]
    with served(streaming_app()) as url, ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda path: httpx.get(f"{url}/{path}", timeout=30), names)
        assert {answer.status_code for answer in answers} == {200}
    found = {trace: without_repeats(found) for trace, found in calls(captured).items()}
    for name in (path.partition("/")[2] for path in names):
        if name.startswith("plain"):
            assert [(name, None)] in found.values()
        else:
            assert found[name] == one_stream(name)
    assert len(found) == len(names)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_that_goes_away_leaves_nothing_current(captured, kind):
    """A stream that is given up in the middle stays in its trace, and its trace is current for no later request."""
    with served(streaming_app()) as url:
        for number in range(3):
            host, port = url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), 20) as connection:
                connection.sendall(f"GET /endless/{kind}/gone-{number} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                received = b""
                while b"\r\n2\n" not in received:
                    received += connection.recv(4096)
            assert httpx.get(f"{url}/plain/after-{number}").json() == f"after-{number}"
        deadline = time.monotonic() + 20
        while open_generators and time.monotonic() < deadline:
            gc.collect()
            time.sleep(0.05)
        assert not open_generators
    found = {trace: without_repeats(found) for trace, found in calls(captured).items()}
    for number in range(3):
        gone = found.pop(f"gone-{number}")
        assert gone[:5] == one_stream(f"gone-{number}")[:5]
        assert {key.partition(" ")[0] for key, _ in gone} == {f"gone-{number}"}
    assert sorted(found.values()) == [[(f"after-{number}", None)] for number in range(3)]


def test_a_block_around_the_return_of_a_stream_is_told(captured, caplog):
    """A block that ends before the stream is read can't hold for it: the calls get traces of their own, and the log says why."""
    app = FastAPI()

    def body() -> Iterator[str]:
        for key in ("a", "b"):
            look_up(key)
            yield key

    @app.get("/")
    def answer() -> StreamingResponse:
        with whyops.trace("around"):
            look_up("before")
            return StreamingResponse(body())

    with served(app) as url, caplog.at_level(logging.WARNING, "whyops"):
        assert httpx.get(url).text == "ab"
    found = calls(captured)
    assert found.pop("around") == [("before", None)]
    assert sorted(found.values()) == [[("a", None)], [("b", None)]]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "whyops"]
    assert "in a streamed answer (body) outside any trace" in said


def trace_of_request() -> Iterator[whyops.Trace]:
    with whyops.trace("dependency") as trace:
        yield trace


async def trace_of_request_async() -> AsyncIterator[whyops.Trace]:
    async with whyops.trace("dependency") as trace:
        yield trace


def dependent_app(dependency: Any) -> FastAPI:
    app = FastAPI()
    inside = [Depends(dependency)]

    @app.get("/sync", dependencies=inside)
    def answer() -> str:
        return look_up("sync")

    @app.get("/async", dependencies=inside)
    async def answer_async() -> str:
        return look_up("async")

    @app.get("/free")
    async def free() -> bool:
        return whyops.current_trace() is None

    return app


def test_an_asynchronous_dependency_holds_for_its_endpoint(captured):
    """What an `async` dependency with `yield` makes current is so in the endpoint, be it sync or async, and not in the next request."""
    with served(dependent_app(trace_of_request_async)) as url, httpx.Client(base_url=url) as client:
        for path in ("/sync", "/async"):
            assert client.get(path).status_code == 200
            assert client.get("/free").json()
    assert calls(captured) == {"dependency": [("sync", None), ("async", None)]}


def test_a_synchronous_dependency_is_told(captured, caplog):
    """What a sync dependency with `yield` makes current is gone in the endpoint: the framework enters it elsewhere, and the log says so."""
    with served(dependent_app(trace_of_request)) as url, caplog.at_level(logging.WARNING, "whyops"):
        assert httpx.get(f"{url}/async").status_code == 200
        assert httpx.get(f"{url}/free").json()
    assert list(calls(captured).values()) == [[("async", None)]]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "whyops"]
    assert "block of trace dependency was left in another context" in said


def test_background_tasks_are_where_they_say(captured):
    """A task that runs after the answer is in no trace of the request's block, which has ended, but in that of its own block."""
    app = FastAPI()

    def tidy(key: str) -> None:
        assert whyops.current_trace() is None
        with whyops.trace(f"background {key}"):
            look_up(key)

    @app.get("/{key}")
    async def answer(key: str, tasks: BackgroundTasks) -> str:
        with whyops.trace(f"request {key}"):
            tasks.add_task(tidy, key)
            return look_up(key)

    with served(app) as url, ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda key: httpx.get(f"{url}/{key}").status_code, "abcd")
        assert list(answers) == [200] * 4
    assert calls(captured) == {f"{where} {key}": [(key, None)] for key in "abcd" for where in ("request", "background")}


def test_a_middlewares_block_holds_for_what_it_calls(captured):
    """A block around `call_next` is current in the endpoint and in each step of its stream, and in no other request."""
    app = FastAPI()

    class InTrace(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            with whyops.trace(f"request {request.url.path}"):
                return await call_next(request)

    def body(key: str) -> Iterator[str]:
        for step in "12":
            look_up(key + step)
            yield step

    async def body_async(key: str) -> AsyncIterator[str]:
        for step in "12":
            look_up(key + step)
            yield step

    @app.get("/{kind}-{key}")
    async def answer(kind: str, key: str) -> StreamingResponse:
        look_up(key)
        return StreamingResponse(body(key) if kind == "sync" else body_async(key))

    app.add_middleware(InTrace)
    paths = [f"/{kind}-{key}" for key in "abc" for kind in ("sync", "async")]
    with served(app) as url, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda path: httpx.get(url + path).text, paths)) == ["12"] * 6
    assert calls(captured) == {f"request {path}": [(path[-1] + step, None) for step in ("", "1", "2")] for path in paths}
