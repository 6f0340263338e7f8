"""A stream of a provider's answer, handed on chunk by chunk as it is, and kept until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from .._providers.answers import says_something
from .provider_call import MOST_CHUNKS, ProviderCall

T = TypeVar("T")


def followed(call: ProviderCall, stream: Iterable[T]) -> Iterator[T]:
    """Yield the chunks of a stream, and record at its end what they make up.

    A chunk is put into a list, and read at the end: so does each but the first ones, until one has something of the answer.
    """
    kept = call.keep_chunks()
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
    except BaseException as error:
        call.end_stream(error)
        raise
    call.end_stream()


async def followed_async(call: ProviderCall, stream: AsyncIterable[T]) -> AsyncIterator[T]:
    """Do what `followed` does, for an asynchronous stream."""
    kept = call.keep_chunks()
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
    except BaseException as error:
        call.end_stream(error)
        raise
    call.end_stream()
