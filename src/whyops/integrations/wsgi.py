"""Web applications on WSGI servers, such as Flask's: what a request does goes on in the trace that the request was sent from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .._continued import Continued, Trust, continuing
from .._recording.continuation import Continuation

__all__ = ["TraceMiddleware"]


class TraceMiddleware:
    """Handles each request in the trace that it names, if it is trusted: `app.wsgi_app = TraceMiddleware(app.wsgi_app)`.

    A streamed body is part of it, up to the `close()` that the server calls. `trust` is that of `whyops.continued`; a function is given the
    request's WSGI environment.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], *, trust: Trust = None) -> None:
        self._app = app

        def continuing_of(environ: Mapping[str, Any]) -> Continued:  # whatever shows attributes shows no secret
            return continuing({"baggage": environ.get("HTTP_BAGGAGE")}, trust, environ)

        self._continuing = continuing_of

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle one request."""
        trace = self._continuing(environ).trace
        if trace is None:
            return self._app(environ, start_response)
        going_on = Continuation(trace)
        try:
            return _Body(going_on.run(lambda: self._app(environ, start_response)), going_on)
        except BaseException as error:
            going_on.end(error)
            raise


class _Body:
    """An answer's body, of which each part is made in the trace."""

    def __init__(self, body: Iterable[bytes], going_on: Continuation) -> None:
        self._body = body
        self._parts: Iterator[bytes] | None = None
        self._going_on = going_on

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return self._going_on.run(self._next)
        except StopIteration:
            raise
        except BaseException as error:
            self._going_on.end(error)
            raise

    def close(self) -> None:
        """End the body, and then what the request did in the trace."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                self._going_on.run(close)
        except BaseException as error:
            self._going_on.end(error)
            raise
        self._going_on.end(None)

    def _next(self) -> bytes:
        if self._parts is None:
            self._parts = iter(self._body)
        return next(self._parts)
