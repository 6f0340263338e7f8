"""Streaming answers of queries: read later and elsewhere, yet part of the trace that asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar

from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse

from ..._recording import context
from ..._recording.generators import keeps_current

T = TypeVar("T")


def keep_together(response: object) -> None:
    """Let each step of a streaming response run in what is current now. Nothing is read ahead, and nothing else of it is touched."""
    if not isinstance(response, (StreamingResponse, AsyncStreamingResponse)) or (frame := context.bound_frame()) is None:
        return
    if isinstance(response, StreamingResponse):
        stream = response.response_gen
        if isinstance(stream, Generator) and getattr(stream, "gi_code", None) is not _resumed.__code__:
            response.response_gen = _resumed(stream, frame)
    elif isinstance(response, AsyncStreamingResponse):
        tokens = response.response_gen
        if isinstance(tokens, AsyncGenerator) and not isinstance(tokens, Resumed):
            response.response_gen = Resumed(tokens, frame)


@keeps_current
def _resumed(stream: Generator[T, None, None], frame: context.Frame) -> Generator[T, None, None]:
    try:
        while True:
            token = context.current.set(frame)
            try:
                item = next(stream)
            except StopIteration:
                return
            finally:
                context.put_back(token)
            yield item
    finally:
        stream.close()


class Resumed(AsyncGenerator[T, None]):
    """An asynchronous stream whose steps run in `frame`.

    It is no native generator, so that an event loop looks after the stream itself and never after both.
    """

    def __init__(self, stream: AsyncGenerator[T, None], frame: context.Frame) -> None:
        self._stream = stream
        self._frame = frame

    async def asend(self, value: None, /) -> T:
        """Take the next step."""
        item: T = await self._step(lambda: self._stream.asend(value))
        return item

    async def athrow(self, *error: Any) -> T:
        """Raise an exception where the stream stands."""
        item: T = await self._step(lambda: self._stream.athrow(*error))
        return item

    async def aclose(self) -> None:
        """Close the stream."""
        await self._step(self._stream.aclose)

    @keeps_current
    async def _step(self, step: Callable[[], Awaitable[Any]]) -> Any:
        token = context.current.set(self._frame)
        try:
            return await step()
        finally:
            context.put_back(token)
