"""Requests that are expected of calls which are recorded already."""

from __future__ import annotations

import contextvars

from whyops._recording.expected import awaiting_span, expect, is_expected


def run(function: object) -> None:
    """Run in a context of its own."""
    contextvars.copy_context().run(function)  # type: ignore[arg-type]  # each test's own


def test_a_call_of_a_model_stands_for_one_request() -> None:
    """The second is a call of its own."""
    call = expect(embeds=False)
    assert is_expected(embeds=False)
    assert not is_expected(embeds=False)
    assert not call.is_open


def test_an_embedding_stands_for_all_requests_until_its_end() -> None:
    """And for no model's."""
    call = expect(embeds=True)
    assert not is_expected(embeds=False)
    assert is_expected(embeds=True)
    assert is_expected(embeds=True)
    call.is_open = False
    assert not is_expected(embeds=True)


def test_each_open_call_stands_for_a_request() -> None:
    """Calls that begin together ask one by one; one of another kind between them changes nothing, and none that is over counts."""
    calls = [expect(embeds=False), expect(embeds=True), expect(embeds=False), expect(embeds=False)]
    calls[2].is_open = False
    assert [is_expected(embeds=False) for _ in range(3)] == [True, True, False]
    assert is_expected(embeds=True)


def test_a_call_that_nobody_holds_expects_nothing() -> None:
    """As one whose framework never told its end."""
    call = expect(embeds=False)
    del call
    assert not is_expected(embeds=False)


def test_a_call_that_nobody_holds_hides_none_around_it() -> None:
    """What is around it goes on being expected."""
    call = expect(embeds=True)
    expect(embeds=True)
    assert is_expected(embeds=True)
    assert call.is_open


def test_a_call_stands_for_one_span_too() -> None:
    """A client may make a span and tell of its request."""
    call = expect(embeds=False)
    assert awaiting_span(embeds=False) is call
    assert awaiting_span(embeds=False) is None
    assert is_expected(embeds=False)


def test_a_call_gives_way_to_a_client_that_records_where_it_belongs() -> None:
    """It is left to the client then, and elsewhere it is not there."""
    places = [False, True]
    call = expect(embeds=False, is_here=lambda: places.pop(0), gives_way=True)
    assert [is_expected(embeds=False), call.is_left] == [False, False]
    assert [is_expected(embeds=False), call.is_left] == [False, True]
    assert awaiting_span(embeds=False) is None


def test_a_request_in_a_context_that_was_copied_is_the_calls() -> None:
    """A task's or a pool's thread's; it is met everywhere then."""
    call = expect(embeds=False)
    found: list[bool] = []
    run(lambda: found.append(is_expected(embeds=False)))
    assert (found, is_expected(embeds=False), call.is_open) == ([True], False, False)
