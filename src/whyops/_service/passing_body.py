"""The body of an HTTP response, copied while it is read, by whoever reads it: httpx's and httpx2's.

Each piece is kept as it passes, with its time; nobody looks into one before the body has ended. What is beyond the limit passes uncopied.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from time import perf_counter_ns
from typing import Any, Protocol

from .._runtime import guard

MOST_BYTES = 16 << 20


class Listener(Protocol):
    """Is told the end of a body."""

    def ended(self, body: PassingBody, response: Any, error: BaseException | None) -> None:
        """Take what has passed of a response's body, and what its reading failed with."""

    def left(self, body: PassingBody, response: Any, raised: BaseException | None) -> None:
        """Take what has passed of a body that its reader leaves before the end, and what is being raised there."""


class PassingBody:
    """What has passed of a body. `listener` is told the end, once, unless it is taken away."""

    __slots__ = ("listener", "pieces", "times")

    def __init__(self, listener: Listener) -> None:
        self.pieces: list[bytes] = []
        self.times: list[int] = []
        self.listener: Listener | None = listener

    @property
    def marks(self) -> list[tuple[int, int]]:
        """How many bytes had come, and when, in nanoseconds of the steady clock, for each piece."""
        marks, size = [], 0
        for piece, at in zip(self.pieces, self.times, strict=True):
            size += len(piece)
            marks.append((size, at))
        return marks

    def content(self, response: Any) -> bytes:
        """Return what has passed, decoded as the response's headers say."""
        raw = b"".join(self.pieces)
        encoding = response.headers.get("content-encoding")
        return raw if not encoding else type(response)(200, headers={"content-encoding": encoding}, content=raw).content

    @guard.recording
    def end(self, response: Any, error: BaseException | None) -> None:
        """Tell that there is no more; of a generator that is closed, that its reader has left it."""
        listener, self.listener = self.listener, None
        if listener is not None and isinstance(error, GeneratorExit):
            listener.left(self, response, None)
        elif listener is not None:
            listener.ended(self, response, error)

    @guard.recording
    def close(self, response: Any) -> None:
        """Tell that the body is closed, unless its end was told."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.left(self, response, sys.exc_info()[1])


def listen(response: Any, listener: Listener) -> PassingBody | None:
    """Copy the body of a response that nobody has read yet; None where that can't be done."""
    stream = response.stream
    bases = {base.__name__: base for base in type(stream).__mro__ if base.__name__ in _MADE}
    if len(bases) != 1:
        return None
    ((name, base),) = bases.items()
    body = PassingBody(listener)
    response.stream = _class_of(name, base)(stream, response, body)
    return body


@lru_cache(maxsize=8)
def _class_of(name: str, base: type[Any]) -> type[Any]:
    """Return the stream that copies; httpx and httpx2 each take only what is of their own class."""
    return _MADE[name](base)


def _new_sync(base: Any) -> type[Any]:
    class Passing(base):  # type: ignore[misc]  # a class of httpx's, which is not imported here
        def __init__(self, stream: Any, response: Any, body: PassingBody) -> None:
            self._stream, self._response, self._body = stream, response, body

        def __iter__(self) -> Iterator[bytes]:
            keep, note, room = self._body.pieces.append, self._body.times.append, MOST_BYTES
            try:
                for piece in self._stream:
                    if room > 0:
                        room -= len(piece)
                        note(perf_counter_ns())
                        keep(piece)
                    yield piece
            except BaseException as error:
                self._body.end(self._response, error)
                raise
            self._body.end(self._response, None)

        def __del__(self) -> None:
            self._body.end(self._response, GeneratorExit())

        def close(self) -> None:
            try:
                self._stream.close()
            finally:
                self._body.close(self._response)

    return Passing


def _new_async(base: Any) -> type[Any]:
    class Passing(base):  # type: ignore[misc]  # as above
        def __init__(self, stream: Any, response: Any, body: PassingBody) -> None:
            self._stream, self._response, self._body = stream, response, body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            keep, note, room = self._body.pieces.append, self._body.times.append, MOST_BYTES
            try:
                async for piece in self._stream:
                    if room > 0:
                        room -= len(piece)
                        note(perf_counter_ns())
                        keep(piece)
                    yield piece
            except BaseException as error:
                self._body.end(self._response, error)
                raise
            self._body.end(self._response, None)

        def __del__(self) -> None:
            self._body.end(self._response, GeneratorExit())

        async def aclose(self) -> None:
            try:
                await self._stream.aclose()
            finally:
                self._body.close(self._response)

    return Passing


_MADE = {"SyncByteStream": _new_sync, "AsyncByteStream": _new_async}
