"""What a chunk of a stream costs its reader more in `trace.model_call`, half a microsecond at most, and what a whole call costs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import whyops
from whyops._recording.followed_stream import followed, followed_async
from whyops._recording.provider_call import ProviderCall

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from whyops._recording.model_span import ModelSpan

CHUNKS = 1000
ROUNDS = 50
CHUNK = ChatCompletionChunk.model_validate(
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
    }
)
ANSWER = ChatCompletion.model_validate(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "It is here."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16},
    }
)


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[whyops.Trace]:
    """Give a trace of a client that records to a store of its own."""
    with whyops.WhyOps(api_key="", agent_name="bench", home=tmp_path) as sdk:
        yield sdk.trace("bench")


def stream() -> Iterator[ChatCompletionChunk]:
    """Give a stream's chunks."""
    for _ in range(CHUNKS):
        yield CHUNK


async def stream_later() -> AsyncIterator[ChatCompletionChunk]:
    """Give them asynchronously."""
    for _ in range(CHUNKS):
        yield CHUNK


class Unread(ProviderCall):
    """A call whose chunks are not read at the end: that is no chunk's cost."""

    __slots__ = ()

    def end_stream(self, stopped: BaseException | None = None) -> None:
        """Do nothing."""


@pytest.fixture
def call(trace: whyops.Trace) -> Unread:
    """Give a call that has begun."""
    span: ModelSpan = trace.model_call("m", "p", "Where is it?")
    unread = Unread(span._trace, span._call._request)  # noqa: SLF001  (a bench may look inside)
    unread.begin()
    return unread


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
def test_1000_chunks(benchmark: BenchmarkFixture, call: Unread, recorded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What the reader of a stream waits for."""

    def read() -> None:
        deque(followed(call, stream(), []) if recorded else stream(), maxlen=0)

    benchmark.pedantic(read, rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
def test_1000_async_chunks(benchmark: BenchmarkFixture, call: Unread, recorded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The same of an asynchronous stream."""

    async def read() -> None:
        async for _ in followed_async(call, stream_later(), []) if recorded else stream_later():
            pass

    benchmark.pedantic(lambda: asyncio.run(read()), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.parametrize("streams", [False, True], ids=["answered", "streamed"])
def test_100_calls(benchmark: BenchmarkFixture, trace: whyops.Trace, streams: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What recording the whole call costs: prompt and answer, and of a stream of 1000 chunks the reading at its end."""
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}]

    def calls() -> None:
        for _ in range(100):
            with trace.model_call("m-1", "openai", messages, params={"temperature": 0}) as call:
                if streams:
                    deque(call.stream(stream()), maxlen=0)
                else:
                    call.answer(ANSWER)

    benchmark.pedantic(calls, rounds=3 if streams else 10, warmup_rounds=1)
