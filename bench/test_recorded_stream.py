"""What a chunk of a streamed answer costs a recorded client more than the bare one: half a microsecond at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from whyops._service.passing_body import listen

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from whyops._service.passing_body import PassingBody

CHUNKS = 1000
ROUNDS = 100
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'


class Body(httpx.SyncByteStream):
    """A body that comes in chunks, as each event of a stream does."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield them."""
        for _ in range(CHUNKS):
            yield CHUNK


class AsyncBody(httpx.AsyncByteStream):
    """The same, for an asynchronous client."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield them."""
        for _ in range(CHUNKS):
            yield CHUNK


class Unread:
    """Hears of the end, and reads nothing: that is no chunk's cost."""

    def ended(self, body: PassingBody, response: Any, error: BaseException | None) -> None:
        """Do nothing."""

    def left(self, body: PassingBody, response: Any, raised: BaseException | None) -> None:
        """Do nothing."""


def response_of(stream: httpx.SyncByteStream | httpx.AsyncByteStream, *, recorded: bool) -> httpx.Response:
    """Return a response that nobody has read."""
    response = httpx.Response(200, stream=stream, request=httpx.Request("POST", "http://127.0.0.1"))
    if recorded:
        assert listen(response, Unread()) is not None
    return response


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
def test_1000_chunks(benchmark: BenchmarkFixture, *, recorded: bool) -> None:
    """Read a stream; the difference is what recording adds to its chunks."""

    def read() -> None:
        for _ in response_of(Body(), recorded=recorded).iter_raw():
            pass

    benchmark.pedantic(read, rounds=ROUNDS)


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
def test_1000_chunks_async(benchmark: BenchmarkFixture, *, recorded: bool) -> None:
    """Read an asynchronous stream, as above."""

    async def read() -> None:
        async for _ in response_of(AsyncBody(), recorded=recorded).aiter_raw():
            pass

    loop = asyncio.new_event_loop()
    benchmark.pedantic(lambda: loop.run_until_complete(read()), rounds=ROUNDS)
    loop.close()
