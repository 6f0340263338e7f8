"""Bodies of server-sent events, as providers write them."""

from __future__ import annotations

import pytest

from whyops._service.event_stream import read_events


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_event_is_what_its_data_hold(end: str) -> None:
    """With a name or without, over several lines, between comments; a mark of the end, and what is no object, are passed over."""
    lines = [
        "event: a",
        'data: {"a": 1}',
        "",
        ": hello",
        "",
        'data:{"b":',
        "data: 2}",
        "",
        "data: [DONE]",
        "",
        "data: 7",
        "",
        'data: {"c": 3}',
        "",
    ]
    assert [event.data for event in read_events(end.join([*lines, ""]).encode(), ())] == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_an_event_that_has_not_come_whole_is_none() -> None:
    """The body was cut in it."""
    assert [event.data for event in read_events(b'data: {"a": 1}\n\ndata: {"b": 2}\n', ())] == [{"a": 1}]


def test_an_event_has_the_time_of_the_piece_that_it_ends_in() -> None:
    """However the body was cut into pieces."""
    body = b'data: {"a": 1}\n\ndata: {"b": 2}\n\ndata: {"c": 3}\n\n'
    assert [event.at for event in read_events(body, [(5, 100), (16, 200), (48, 300)])] == [200, 300, 300]
    assert [event.at for event in read_events(body, [(48, 100)])] == [100, 100, 100]


def test_a_separator_of_lines_in_a_text_ends_no_line() -> None:
    """Only the line ends of the format do."""
    (event,) = read_events('data: {"text": "one\u2028two\u0085"}\n\n'.encode(), ())
    assert event.data == {"text": "one\u2028two\u0085"}
