"""One model call of an official client, from the request to the real end of the answer, which may be read long after."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .._runtime import guard
from .event_stream import StreamEvent, read_events
from .passing_body import PassingBody, listen

Begin = Callable[[str, Mapping[str, Any]], "Call | None"]
"""Begins to record a call, by the path that is asked and the body. None where it is not to be recorded."""


class Call(Protocol):
    """What records a call."""

    takes_result: bool
    """Whether it is to be told what the client made of an answer, rather than the answer's body: that may be large."""

    def answered(self, answer: Any) -> None:
        """Record an answer: what its body holds as JSON, or the client's own object. None could be read."""

    def streamed(self, events: Sequence[StreamEvent], error: BaseException | None, *, left: bool) -> None:
        """Record what has come of a streamed answer, and what its reading failed with.

        `left` tells that its reader closed it; `error` is then what is being raised there, by the reader or by the client.
        """

    def failed(self, error: BaseException) -> None:
        """Record that no answer came, or none that can be read."""


class Exchange:
    """Tells a call its end, once. `answered` may come several times (a middleware tries again): what came last counts."""

    __slots__ = ("_body", "_call", "_held", "_is_over")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._is_over = False
        self._body: PassingBody | None = None
        self._held: Any = None

    @guard.recording
    def answered(self, response: Any) -> None:
        """Take note of an HTTP response. One that is in memory is told at once, of another what is read of it, at its end."""
        if self._is_over or not response.is_success:
            return
        if self._body is not None:
            self._body.listener = None
            self._body = None
        if not hasattr(response, "_content"):  # httpx has no other sign of it that raises nothing
            self._body = listen(response, self)
            if self._body is None:
                self._settle().answered(None)
        elif self._call.takes_result:
            self._held = response
        else:
            self._tell(response, response.content)

    @guard.recording
    def returned(self, result: Any) -> None:
        """Take note of what the client returns, where it is what the call is to be told, or all that there is."""
        response = _response_of(result)
        if response is not None and self._held is None and self._body is None:
            self.answered(response)
        if self._is_over or self._body is not None:
            return
        if response is not None and response is self._held:
            self._tell(response, response.content)
        else:
            self._settle().answered(result)

    @guard.recording
    def failed(self, error: BaseException) -> None:
        """Take note of what `request` raises, unless an answer had come: then the client could not make of it what was asked for."""
        if self._is_over or self._body is not None:
            return
        if self._held is not None:
            self._tell(self._held, self._held.content)
        else:
            self._settle().failed(error)

    def ended(self, body: PassingBody, response: Any, error: BaseException | None) -> None:
        """Tell what was read of a body."""
        self._tell(response, body.content(response), body.marks, error)

    def left(self, body: PassingBody, response: Any, raised: BaseException | None) -> None:
        """Tell what was read of a body that its reader has left."""
        self._tell(response, body.content(response), body.marks, raised, left=True)

    def _tell(
        self,
        response: Any,
        content: bytes,
        marks: Sequence[tuple[int, int]] = (),
        error: BaseException | None = None,
        *,
        left: bool = False,
    ) -> None:
        call = self._settle()
        if _is_stream(response, content):
            call.streamed(read_events(content, marks), error, left=left)
            return
        answer = _read(content)
        if answer is None and (left or error is not None):
            call.failed(GeneratorExit() if error is None or (left and isinstance(error, Exception)) else error)
        else:
            call.answered(answer)

    def _settle(self) -> Call:
        self._is_over = True
        self._held = self._body = None
        return self._call


def _response_of(result: Any) -> Any:
    """Return the HTTP response that a raw response or a stream of the client's holds, if it holds one."""
    held = (getattr(result, name, None) for name in ("http_response", "response"))
    return next((response for response in held if hasattr(response, "is_success")), None)


def _is_stream(response: Any, content: bytes) -> bool:
    """Tell whether a body is a stream of events; some servers that speak as OpenAI's does send one under another type."""
    return str(response.headers.get("content-type", "")).startswith("text/event-stream") or content.startswith((b"data:", b"event:"))


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
