"""Bodies that are copied as they pass: what is kept, when its end is told, and what their reader sees."""

from __future__ import annotations

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from whyops._service import passing_body
from whyops._service.passing_body import PassingBody, listen


class Pieces(httpx.SyncByteStream):
    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


class AsyncPieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bytes, type[BaseException] | None]] = []

    def ended(self, body: PassingBody, response: Any, error: BaseException | None) -> None:
        self.told.append(("ended", body.content(response), None if error is None else type(error)))

    def left(self, body: PassingBody, response: Any, raised: BaseException | None) -> None:
        self.told.append(("left", body.content(response), None if raised is None else type(raised)))


def response(stream: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, stream=stream, request=httpx.Request("POST", "http://127.0.0.1"), headers=headers)


READERS: list[Callable[[httpx.Response], Any]] = [
    lambda given: given.read(),
    lambda given: b"".join(given.iter_raw()),
    lambda given: b"".join(given.iter_bytes(1)),
    lambda given: "".join(given.iter_text()).encode(),
]


@pytest.mark.parametrize("read", READERS, ids=["read", "raw", "bytes", "text"])
def test_what_is_read_is_told_at_its_end(read: Callable[[httpx.Response], Any]) -> None:
    """Once, however it is read; the reader gets the same bytes."""
    heard, given = Heard(), response(Pieces(b"ab", b"c"))
    assert listen(given, heard) is not None
    assert read(given) == b"abc"
    given.close()
    assert heard.told == [("ended", b"abc", None)]
    assert given.num_bytes_downloaded == 3


def test_an_asynchronous_body_is_told_too() -> None:
    """At its end, or where it is closed."""
    heard = Heard()

    async def read(given: httpx.Response) -> list[bytes]:
        assert listen(given, heard) is not None
        return [piece async for piece in given.aiter_bytes()]

    async def leave(given: httpx.Response) -> None:
        assert listen(given, heard) is not None
        async for _ in given.aiter_raw():
            break
        await given.aclose()

    assert asyncio.run(read(response(AsyncPieces(b"ab", b"c")))) == [b"ab", b"c"]
    asyncio.run(leave(response(AsyncPieces(b"ab", b"c"))))
    assert heard.told == [("ended", b"abc", None), ("left", b"ab", None)]


def test_a_body_that_is_compressed_is_told_as_it_is_read() -> None:
    """The caller gets its bytes decoded by the response itself."""
    whole = gzip.compress(b"abc" * 100)
    heard, given = Heard(), response(Pieces(whole[:9], whole[9:]), **{"content-encoding": "gzip"})
    listen(given, heard)
    assert given.read() == b"abc" * 100
    assert heard.told == [("ended", b"abc" * 100, None)]


def test_an_error_of_reading_is_told_and_goes_on() -> None:
    """With what had come."""
    heard, given = Heard(), response(Pieces(b"ab", httpx.ReadError("gone")))
    listen(given, heard)
    with pytest.raises(httpx.ReadError, match="gone"):
        given.read()
    assert heard.told == [("ended", b"ab", httpx.ReadError)]


def test_a_body_that_is_closed_is_told_with_what_is_raised_there() -> None:
    """A reader that leaves for no reason raises nothing."""
    heard = Heard()
    for error in (None, KeyError("mine")):
        given = response(Pieces(b"ab", b"c"))
        listen(given, heard)
        try:
            reading = given.iter_raw()
            next(reading)
            if error is not None:
                raise error
        except KeyError:
            given.close()
        given.close()
    assert heard.told == [("left", b"ab", None), ("left", b"ab", KeyError)]


@pytest.mark.parametrize("begins", [True, False], ids=["begun", "unread"])
def test_a_body_that_is_dropped_is_told(*, begins: bool) -> None:
    """Whether its reader began or not."""
    heard, given = Heard(), response(Pieces(b"ab", b"c"))
    listen(given, heard)
    if begins:
        reading = given.iter_raw()
        next(reading)
        del reading
    del given
    gc.collect()
    assert heard.told == [("left", b"ab" if begins else b"", None)]


def test_what_is_beyond_the_limit_passes_uncopied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader gets all."""
    monkeypatch.setattr(passing_body, "MOST_BYTES", 3)
    heard, given = Heard(), response(Pieces(b"ab", b"cd", b"ef"))
    listen(given, heard)
    assert given.read() == b"abcdef"
    assert heard.told == [("ended", b"abcd", None)]


def test_a_listener_that_was_taken_away_hears_nothing() -> None:
    """Another answer has come in its place."""
    heard, given = Heard(), response(Pieces(b"ab"))
    body = listen(given, heard)
    assert body is not None
    body.listener = None
    given.read()
    assert heard.told == []


def test_what_can_not_be_listened_to_stays_as_it_is() -> None:
    """A body that is in memory is of both kinds."""
    given = httpx.Response(200, content=b"abc")
    stream = given.stream
    assert listen(given, Heard()) is None
    assert given.stream is stream
