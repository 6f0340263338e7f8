"""One model call's HTTP answers, and what is told of them: once, and what came last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from whyops._service.event_stream import StreamEvent
from whyops._service.exchange import Exchange

REQUEST = httpx.Request("POST", "http://127.0.0.1")


class Told:
    """Keeps what it is told of a call."""

    def __init__(self, *, takes_result: bool = False) -> None:
        self.takes_result = takes_result
        self.told: list[Any] = []

    def answered(self, answer: Any) -> None:
        self.told.append(answer)

    def streamed(self, events: Sequence[StreamEvent], error: BaseException | None, *, left: bool) -> None:
        self.told.append(([event.data for event in events], error, left))

    def failed(self, error: BaseException) -> None:
        self.told.append(type(error))


class Body(httpx.SyncByteStream):
    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def unread(*pieces: bytes | Exception, kind: str = "application/json") -> httpx.Response:
    return httpx.Response(200, stream=Body(*pieces), headers={"content-type": kind}, request=REQUEST)


def in_memory(content: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=content, request=REQUEST)


def test_an_answer_in_memory_is_told_at_once_and_alone() -> None:
    """What the client returns or raises after that changes nothing."""
    call = Told()
    exchange = Exchange(call)
    exchange.answered(in_memory(b'{"a": 1}'))
    exchange.returned({"a": 2})
    exchange.failed(ValueError())
    exchange.answered(in_memory(b'{"a": 3}'))
    assert call.told == [{"a": 1}]


def test_an_answer_that_is_no_success_is_none() -> None:
    """The client raises of it, or tries again."""
    call = Told()
    exchange = Exchange(call)
    exchange.answered(in_memory(b"{}", 500))
    exchange.failed(ValueError())
    assert call.told == [ValueError]


def test_of_several_unread_answers_the_last_counts() -> None:
    """The others are not read by the caller."""
    call = Told()
    exchange = Exchange(call)
    first, second = unread(b'{"a": 1}'), unread(b'{"a": 2}')
    exchange.answered(first)
    exchange.answered(second)
    first.read()
    assert call.told == []
    second.read()
    assert call.told == [{"a": 2}]


@pytest.mark.parametrize("breaks", [True, False])
def test_a_body_that_is_not_whole_is_no_answer(*, breaks: bool) -> None:
    """It broke, or its reader left it."""
    call = Told()
    response = unread(b'{"a": ', httpx.ReadError("gone") if breaks else b"1}")
    Exchange(call).answered(response)
    reading = response.iter_raw()
    next(reading)
    if breaks:
        with pytest.raises(httpx.ReadError):
            next(reading)
    response.close()
    assert call.told == [httpx.ReadError if breaks else GeneratorExit]


def test_a_whole_body_of_no_json_is_an_answer_that_can_not_be_read() -> None:
    """Some server answered so."""
    call = Told()
    Exchange(call).answered(in_memory(b"<html>"))
    assert call.told == [None]


def test_a_stream_under_another_type_is_a_stream() -> None:
    """Some servers that speak as OpenAI's does name it otherwise."""
    call = Told()
    response = unread(b'data: {"a": 1}\n\n', kind="text/plain")
    Exchange(call).answered(response)
    response.read()
    assert call.told == [([{"a": 1}], None, False)]


def test_who_takes_the_result_is_told_that() -> None:
    """And the body only where the client returns none, or can't make one of it."""
    result = object()
    told = []
    for end in (lambda exchange: exchange.returned(result), lambda exchange: exchange.failed(ValueError())):
        call = Told(takes_result=True)
        exchange = Exchange(call)
        exchange.answered(in_memory(b'{"a": 1}'))
        assert call.told == []
        end(exchange)
        told += call.told
    assert told == [result, {"a": 1}]


def test_a_body_that_nobody_can_listen_to_is_an_answer_that_can_not_be_read() -> None:
    """As of a future HTTP package."""
    call = Told()
    response = unread(b"{}")
    response.stream = iter(())  # type: ignore[assignment]  # what is tested
    Exchange(call).answered(response)
    assert call.told == [None]
