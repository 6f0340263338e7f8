"""Whatever the value: the function behaves as without the decorator, each call is recorded, and the strict service takes every line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import whyops
from tests._encoding.gallery import HOSTILE_VALUES, Blocking
from tests.server import StrictServer
from whyops._config.defaults import MAX_VALUE_BYTES

Way = Callable[[whyops.Trace, Any], int]
"""Records a value in one way, and returns how many events that makes."""


def as_argument_and_result(trace: whyops.Trace, value: Any) -> int:
    seen = []

    @whyops.tool
    def give(value: Any, *rest: Any, **more: Any) -> Any:
        seen.append((value, rest, more))
        return value

    with trace:
        assert give(value, value, more=value) is value
    ((first, rest, more),) = seen
    assert first is value
    assert rest[0] is value
    assert more["more"] is value
    return 2


def as_argument_and_result_of_async(trace: whyops.Trace, value: Any) -> int:
    @whyops.tool
    async def give(value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def main() -> None:
        async with trace:
            assert await give(value) is value

    asyncio.run(main())
    return 2


def as_item(trace: whyops.Trace, value: Any) -> int:
    @whyops.tool
    def stream(value: Any) -> Any:
        yield value
        yield value

    with trace:
        assert all(item is value for item in stream(value))
    return 2


def as_item_of_async(trace: whyops.Trace, value: Any) -> int:
    @whyops.tool
    async def stream(value: Any) -> Any:
        yield value

    async def main() -> None:
        async with trace:
            async for item in stream(value):
                assert item is value

    asyncio.run(main())
    return 2


def in_an_exception(trace: whyops.Trace, value: Any) -> int:
    @whyops.tool
    def fail(value: Any) -> Any:
        raise LookupError(value)

    with trace, pytest.raises(LookupError) as raised:
        fail(value)
    assert raised.value.args[0] is value
    return 3


def in_a_tool_span(trace: whyops.Trace, value: Any) -> int:
    with trace.tool_span("span", {"value": value, "nested": [{"value": value}]}) as span:
        span.result = value
    return 2


def in_each_method(trace: whyops.Trace, value: Any) -> int:
    trace.user_message_sync(value)
    trace.user_message_sync([{"role": "user", "content": value}], metadata=value)
    trace.llm_response_sync(value, value, value, tool_calls=value, finish_reason=value, usage=value, latency_ms=value)
    trace.llm_thinking_sync(value, signature=value)
    trace.embedding_request_sync(value)
    trace.embedding_response_sync(value, value, value, value, total_tokens=value, latency_ms=value)
    span_id = trace.tool_call_request_sync(value, value, latency_ms=value, requested_at=value)
    trace.tool_call_response_sync(value, span_id, value, value, latency_ms=value, responded_at=value)
    trace.tool_result_sync(value, value)
    trace.error_sync(value, status=value, stack=value)
    return 10


def in_each_async_method(trace: whyops.Trace, value: Any) -> int:
    async def main() -> None:
        await trace.user_message(value)
        await trace.llm_response(value, value, value, tool_calls=[value], finish_reason=value, usage={"promptTokens": value})
        await trace.llm_thinking(value)
        await trace.embedding_request([value])
        await trace.embedding_response(value, value, value, value)
        calls: Any = [{"name": value, "arguments": {"value": value}}]
        span_id = await trace.tool_call_request(value, calls)
        await trace.tool_call_response(value, span_id, calls, {"value": value})
        await trace.tool_result(value, {"value": value})
        await trace.error("message", status=value)

    asyncio.run(main())
    return 9


def as_options(trace: whyops.Trace, value: Any) -> int:
    if type(value) is Blocking:  # an id is what its text says: there the object is asked for it
        value = None
    trace.error_sync("e", span_id=value, step_id=value, parent_step_id=value, timestamp=value, idempotency_key=value)
    trace.error_sync("e", external_user_id=value)
    return 2


WAYS: list[Way] = [
    as_argument_and_result,
    as_argument_and_result_of_async,
    as_item,
    as_item_of_async,
    in_an_exception,
    in_a_tool_span,
    in_each_method,
    in_each_async_method,
    as_options,
]


PARTS = 4
"""So that the workers that run the tests can share the work."""

LESS_BYTES = 8_192
"""What most ways may keep of a value: all cut in the same place, so that not each of them need fill the usual bound with each value."""

USUAL_BOUND = (as_argument_and_result, in_a_tool_span)

LARGE = ("text_long_wide", "list_of_long_texts", "bytes_long")
"""What fills the usual bound with text, with texts, with bytes; `USUAL_BOUND` does with all that there is."""


def bound_of(way: Way) -> int:
    return MAX_VALUE_BYTES if way in USUAL_BOUND else LESS_BYTES


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_gallery(way: Way, part: int) -> None:
    """Each hostile value passes each way in, is handed on untouched, and leaves as many events as the way makes, all of them stored."""
    assert len(HOSTILE_VALUES) >= 150
    all_are_stored(way, HOSTILE_VALUES[part::PARTS], bound_of(way))


@pytest.mark.parametrize("way", [in_each_method, in_an_exception], ids=lambda way: way.__name__)
def test_large_values_everywhere(way: Way) -> None:
    """Where each place of an event fills the usual bound, the service still takes the event."""
    values = [(name, make) for name, make in HOSTILE_VALUES if name in LARGE]
    assert len(values) == len(LARGE)
    all_are_stored(way, values, MAX_VALUE_BYTES)


def all_are_stored(way: Way, values: list[tuple[str, Callable[[], object]]], bound: int) -> None:
    """Record the values, each in a trace of its own, and compare what the service has."""
    settings: dict[str, Any] = {"api_key": "YOPS-key", "agent_name": "a", "max_value_bytes": bound}
    with StrictServer() as server, whyops.WhyOps(analyse_base_url=server.url, **settings) as sdk:
        expected = {}
        for number, (name, make) in enumerate(values):
            expected[f"{number} {name}"[:128]] = way(sdk.trace(f"{number} {name}"[:128]), make())
        result = sdk.flush_sync(60)
        stored = {trace_id: len(server.events_of(trace_id)) for trace_id in expected}
    assert stored == expected
    assert (result.rejected, result.dropped, result.waiting) == (0, 0, 0)
