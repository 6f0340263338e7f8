"""A stream of a provider's answer, handed on chunk by chunk as it is, and kept until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from .._providers.answers import says_something
from .provider_call import MOST_CHUNKS, ProviderCall

T = TypeVar("T")


def followed(call: ProviderCall, stream: Iterable[T], kept: list[object]) -> Iterator[T]:
    """Yield the chunks of a stream, and record at its end what they make up. `kept` is what the call keeps of them.

    A chunk is put into that list, and read at the end; only the first ones are looked at, until one has something of the answer. Where the
    reader leaves, the call's block knows why, and records it.
    """
    keep = kept.append
    try:
        chunks = iter(stream)
        for chunk in chunks:
            keep(chunk)
            if says_something(chunk):
                call.token()
                yield chunk
                break
            yield chunk
        for chunk in islice(chunks, MOST_CHUNKS):
            keep(chunk)
            yield chunk
        keep = call.last_chunks.append
        for chunk in chunks:
            keep(chunk)
            yield chunk
    except GeneratorExit:
        call.stop_clock()
        raise
    except BaseException as error:
        call.end_stream(error)
        raise
    call.end_stream()


async def followed_async(call: ProviderCall, stream: AsyncIterable[T], kept: list[object]) -> AsyncIterator[T]:
    """Do what `followed` does, for an asynchronous stream."""
    keep = kept.append
    try:
        chunks = aiter(stream)
        async for chunk in chunks:
            keep(chunk)
            if says_something(chunk):
                call.token()
                yield chunk
                break
            yield chunk
        async for chunk in chunks:
            keep(chunk)
            yield chunk
            if len(kept) > MOST_CHUNKS:
                break
        keep = call.last_chunks.append
        async for chunk in chunks:
            keep(chunk)
            yield chunk
    except GeneratorExit:
        call.stop_clock()
        raise
    except BaseException as error:
        call.end_stream(error)
        raise
    call.end_stream()
