"""Streaming answers of queries: read later and elsewhere, yet part of the trace that asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, TypeVar

from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse

from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.generators import Steps

T = TypeVar("T")


STREAMING = (StreamingResponse, AsyncStreamingResponse)
"""The classes of answers that are read later."""


def keep_together(response: object) -> None:
    """Let each step of a streaming response run in what is current now. Nothing is read ahead, and nothing else of it is touched."""
    if isinstance(response, STREAMING) and (frame := context.bound_frame()) is not None:
        response.response_gen = _kept_together(response.response_gen, frame)


def _kept_together(stream: Any, frame: Frame) -> Any:
    if isinstance(stream, Generator) and getattr(stream, "gi_code", None) is not _resumed.__code__:
        return _resumed(stream, Steps(frame))
    if isinstance(stream, AsyncGenerator) and not isinstance(stream, Resumed):
        return Resumed(stream, Steps(frame))
    return stream


def _resumed(stream: Generator[T, None, None], steps: Steps) -> Generator[T, None, None]:
    try:
        while True:
            try:
                item = steps.take(next, stream)
            except StopIteration:
                return
            yield item
    finally:
        stream.close()


class Resumed(AsyncGenerator[T, None]):
    """An asynchronous stream whose steps run where the query ran.

    It is no native generator, so that an event loop looks after the stream itself and never after both.
    """

    def __init__(self, stream: AsyncGenerator[T, None], steps: Steps) -> None:
        self._stream = stream
        self._steps = steps

    async def asend(self, value: None, /) -> T:
        """Take the next step."""
        return await self._steps.wait_for(self._stream.asend(value))

    async def athrow(self, *error: Any) -> T:
        """Raise an exception where the stream stands."""
        return await self._steps.wait_for(self._stream.athrow(*error))

    async def aclose(self) -> None:
        """Close the stream."""
        await self._steps.wait_for(self._stream.aclose())
