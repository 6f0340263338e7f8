"""Web applications on ASGI servers, such as uvicorn: requests go on in the trace of who sends them, and all is delivered at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from .._assembly import deliveries
from .._continued import Continued, Trust, continuing

__all__ = ["TraceMiddleware", "lifespan"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class TraceMiddleware:
    """Handles each HTTP request in the trace that it names, if it is trusted: `app.add_middleware(TraceMiddleware)`.

    A streamed body and background tasks are part of it. `trust` is that of `whyops.continued`; a function is given the request's ASGI
    scope. Websockets and the lifespan pass through.
    """

    def __init__(self, app: _App, *, trust: Trust = None) -> None:
        self._app = app

        def continuing_of(scope: _Scope) -> Continued:  # whatever shows attributes shows no secret
            return continuing(scope.get("headers"), trust, scope)

        self._continuing = continuing_of

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with self._continuing(scope):
            await self._app(scope, receive, send)


@asynccontextmanager
async def lifespan(app: object = None) -> AsyncIterator[None]:  # noqa: ARG001  (frameworks pass theirs)
    """Deliver what was recorded when the application shuts down, within `exit_timeout`.

    After SIGTERM most servers let the signal end the process, so that no exit hook runs. Hand it to the framework, as in
    `FastAPI(lifespan=lifespan)`; in a lifespan of your own, put `async with lifespan():` around its `yield`.
    """
    try:
        yield
    finally:
        await asyncio.gather(*(delivery.deliver_at_end() for delivery in deliveries()))
