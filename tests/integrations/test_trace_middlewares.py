"""The middlewares that continue a trace: around streamed bodies and background tasks, and around nothing where nobody is trusted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest

import whyops
from whyops._default import default_client
from whyops.integrations import asgi, wsgi


@whyops.tool
def look_up(sku: str) -> str:
    """Be called by a server."""
    return sku


@pytest.fixture
def sent() -> tuple[dict[str, str], str]:
    """Give the headers of a request, and the span that it is sent from."""
    with whyops.trace("order-7") as trace, trace.tool_span("ask", {}) as span:
        return whyops.headers(), span.span_id


def placed() -> list[tuple[str, str | None]]:
    """Return which things were looked up in the trace, and the span around each."""
    default_client().flush_sync()
    calls = whyops.load_trace("order-7").calls
    return [(call.first.content["toolCalls"][0]["arguments"]["sku"], call.first.parent_span_id) for call in calls if call.name == "look_up"]


async def asked(app: Any, headers: dict[str, str], scope_type: str = "http", leaves: asyncio.Event | None = None) -> bytes:
    """Ask an ASGI application as a server does, and return the body; the client goes when `leaves` is set."""
    told: list[Any] = []
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if requests:
            return requests.pop()
        await (asyncio.Future() if leaves is None else leaves.wait())
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": scope_type,
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
    }
    await app({**scope, "root_path": "", "headers": raw, "client": ("127.0.0.1", 1), "server": ("shop", 80)}, receive, send)
    return b"".join(message.get("body", b"") for message in told)


def served(app: Any, headers: dict[str, str], parts: int | None = None) -> bytes:
    """Ask a WSGI application as a server does, for the first `parts` of its body or for all, and close it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "shop",
        "SERVER_PORT": "80",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "SERVER_PROTOCOL": "HTTP/1.1",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    body = app(environ, lambda *_: None)
    try:
        taken = []
        for part in body:
            taken.append(part)
            assert whyops.current_trace() is None
            if parts is not None and len(taken) >= parts:
                break
        return b"".join(taken)
    finally:
        if hasattr(body, "close"):
            body.close()
        assert whyops.current_trace() is None


def test_fastapi(sent: tuple[dict[str, str], str]) -> None:
    """Endpoint, streamed body and background task are under the span that the request was sent from; nothing is current behind them."""
    fastapi = pytest.importorskip("fastapi")
    from starlette.background import BackgroundTask  # noqa: PLC0415
    from starlette.responses import StreamingResponse  # noqa: PLC0415

    headers, span_id = sent
    app = fastapi.FastAPI()
    app.add_middleware(asgi.TraceMiddleware, trust=lambda scope: scope["path"] == "/")

    async def stream() -> AsyncIterator[str]:
        yield look_up("streamed")
        await asyncio.sleep(0)
        yield look_up("streamed too")

    @app.get("/")
    def answer() -> Any:
        look_up("endpoint")
        return StreamingResponse(stream(), background=BackgroundTask(look_up, "background"))

    async def main() -> None:
        assert await asked(app, headers) == b"streamedstreamed too"
        assert whyops.current_trace() is None

    asyncio.run(main())
    assert placed() == [(thing, span_id) for thing in ("endpoint", "streamed", "streamed too", "background")]


@whyops.tool
async def wait_for_more(sku: str) -> str:
    """Take longer than anybody waits."""
    await asyncio.sleep(60)
    return sku


@pytest.mark.parametrize("how", ["cancelled", "disconnected"])
def test_a_request_that_is_given_up(sent: tuple[dict[str, str], str], how: str) -> None:
    """What its stream was about to do is interrupted, and what it does as it ends is in the trace, too; behind it nothing is current."""
    fastapi = pytest.importorskip("fastapi")
    from starlette.responses import StreamingResponse  # noqa: PLC0415

    headers, span_id = sent
    begun, leaves = asyncio.Event(), asyncio.Event()
    app = fastapi.FastAPI()
    app.add_middleware(asgi.TraceMiddleware, trust=True)

    async def stream() -> AsyncIterator[str]:
        try:
            yield look_up("first")
            begun.set()
            yield await wait_for_more("second")
        finally:
            look_up("last")

    @app.get("/")
    def answer() -> Any:
        return StreamingResponse(stream())

    async def main() -> None:
        request = asyncio.ensure_future(asked(app, headers, leaves=leaves))
        await begun.wait()
        if how == "cancelled":
            request.cancel()
        leaves.set()
        await asyncio.wait([request])
        assert request.cancelled() == (how == "cancelled")
        assert whyops.current_trace() is None

    asyncio.run(main())
    default_client().flush_sync()
    first, waited, last = (call for call in whyops.load_trace("order-7").calls if call.name != "ask")
    assert [call.first.parent_span_id for call in (first, waited, last)] == [span_id] * 3
    assert [call.interrupted for call in (first, waited, last)] == [None, "CancelledError", None]


def test_flask(sent: tuple[dict[str, str], str]) -> None:
    """View and streamed body are, with no help of Flask's; the thread has nothing current between two parts."""
    flask = pytest.importorskip("flask")
    headers, span_id = sent
    app = flask.Flask("shop")
    app.wsgi_app = wsgi.TraceMiddleware(app.wsgi_app, trust=True)

    @app.route("/")
    def answer() -> Any:
        look_up("view")
        return (look_up(f"part {number}") for number in range(3))

    assert served(app, headers) == b"part 0part 1part 2"
    assert placed() == [(thing, span_id) for thing in ("view", "part 0", "part 1", "part 2")]


def plain(_environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answer in parts."""
    start_response("200 OK", [])
    return parts()


def parts() -> Iterator[bytes]:
    try:
        yield look_up("first").encode()
        yield look_up("second").encode()
    finally:
        look_up("closed")


def test_a_body_that_is_not_taken_to_its_end(sent: tuple[dict[str, str], str]) -> None:
    """What it does when the server closes it is in the trace, too."""
    headers, span_id = sent
    assert served(wsgi.TraceMiddleware(plain, trust=True), headers, parts=1) == b"first"
    assert placed() == [("first", span_id), ("closed", span_id)]


def test_an_application_that_raises(sent: tuple[dict[str, str], str]) -> None:
    """The exception propagates and is recorded once, before the body as in it."""
    headers, _ = sent

    def failing(_environ: Any, _start: Any) -> Any:
        raise KeyError("lamp")

    def failing_later(_environ: Any, _start: Any) -> Any:
        yield b"part"
        raise KeyError("later")

    async def failing_too(_scope: Any, _receive: Any, _send: Any) -> None:
        raise KeyError("lamp")

    for app in (failing, failing_later):
        with pytest.raises(KeyError):
            served(wsgi.TraceMiddleware(app, trust=True), headers)
    with pytest.raises(KeyError):
        asyncio.run(asked(asgi.TraceMiddleware(failing_too, trust=True), headers))
    default_client().flush_sync()
    assert whyops.load_trace("order-7").totals.errors == 3


def test_strangers(sent: tuple[dict[str, str], str]) -> None:
    """Without trust an application is called as it is, and its body is handed on as it is."""
    headers, _ = sent
    body = [b"as it is"]
    seen: list[object] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append((scope["type"], whyops.current_trace()))

    assert wsgi.TraceMiddleware(lambda *_: body)({"HTTP_BAGGAGE": headers["baggage"]}, lambda *_: None) is body
    asyncio.run(asked(asgi.TraceMiddleware(app), headers))
    for scope_type in ("websocket", "lifespan"):
        asyncio.run(asked(asgi.TraceMiddleware(app, trust=True), headers, scope_type))
    assert seen == [("http", None), ("websocket", None), ("lifespan", None)]
